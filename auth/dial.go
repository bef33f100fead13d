package auth

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// errPrivateAddress means that an address from outside leads inside.
var errPrivateAddress = errors.New("address is not a public one")

// publicOnly is a net.Dialer's Control: it sees the address that is really connected to, after
// every lookup, so that no name can resolve to something else a moment later.
func publicOnly(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(a.Addr()) {
		return errPrivateAddress
	}
	return nil
}

// isPublic reports whether an address is one that anybody on the internet could reach. What is
// not comes from the IANA special-purpose registries (RFC 6890); cloud metadata services are on
// link-local addresses.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc([]netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network
		netip.MustParsePrefix("100.64.0.0/10"),   // carrier NAT, used inside clouds
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved
		netip.MustParsePrefix("64:ff9b::/96"),    // IPv4 inside IPv6, also private ones
		netip.MustParsePrefix("64:ff9b:1::/48"),  // the same, local
		netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
		netip.MustParsePrefix("2001:db8::/32"),   // documentation
		netip.MustParsePrefix("2002::/16"),       // 6to4: IPv4 inside IPv6
		netip.MustParsePrefix("fec0::/10"),       // site-local, withdrawn
	}, func(p netip.Prefix) bool { return p.Contains(a) })
}
