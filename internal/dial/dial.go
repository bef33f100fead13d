// Package dial is how the program speaks to servers of others: without a proxy, with redirects that
// stay at home and with errors that hold no URL. Which network addresses may be reached is decided at
// the moment of dialling, when names are resolved: neither a redirect nor a name that changes its mind
// leads inside a network that a URL from outside must not see.
package dial

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// ErrAddress refuses a network address at the moment of dialling.
var ErrAddress = errors.New("network address is not allowed")

// Guard says which addresses may be reached besides public ones. Link-local, metadata and reserved
// addresses never are.
type Guard struct {
	Loopback bool
	// Private is RFC 1918, RFC 4193 and RFC 6598, where a hospital's servers often live.
	Private bool
}

// Control is the hook of net.Dialer that sees every address before the connection is made.
func (g Guard) Control(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("read dialled address: %w", ErrAddress)
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return fmt.Errorf("read dialled address: %w", ErrAddress)
	}
	if kind := g.refusal(addr); kind != "" {
		return fmt.Errorf("%w: %s", ErrAddress, kind)
	}
	return nil
}

// refusal names the kind of an address that may not be reached; "" if it may.
func (g Guard) refusal(addr netip.Addr) string {
	addr = embedded(addr.Unmap().WithZone(""))
	switch {
	case addr.IsLoopback():
		if g.Loopback {
			return ""
		}
		return "loopback"
	case within(addr, metadataAddresses()):
		return "metadata service"
	case addr.IsLinkLocalUnicast(), addr.IsLinkLocalMulticast():
		return "link-local"
	case addr.IsMulticast(), addr.IsUnspecified(), within(addr, reservedNetworks()):
		return "reserved"
	case addr.IsPrivate(), within(addr, sharedNetworks()):
		if g.Private {
			return ""
		}
		return "private network"
	}
	return ""
}

// embedded returns the IPv4 address that a translation prefix carries, so that no refused address
// hides behind one: RFC 6052 (64:ff9b::/96) and RFC 3056 (2002::/16).
func embedded(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	b := addr.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case netip.MustParsePrefix("2002::/16").Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return addr
}

// metadataAddresses are where clouds answer questions about the machine itself, credentials
// included: AWS, Azure and Google (169.254.169.254), AWS over IPv6, Alibaba, Azure's host agent.
func metadataAddresses() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("169.254.169.254/32"),
		netip.MustParsePrefix("fd00:ec2::254/128"),
		netip.MustParsePrefix("100.100.100.200/32"),
		netip.MustParsePrefix("168.63.129.16/32"),
	}
}

// sharedNetworks are private in effect: RFC 6598, carrier and cluster networks.
func sharedNetworks() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10")}
}

// reservedNetworks hold no server: the IANA special-purpose registries (RFC 6890).
func reservedNetworks() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("64:ff9b:1::/48"),
		netip.MustParsePrefix("100::/64"),
		netip.MustParsePrefix("2001::/23"),
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("fec0::/10"),
	}
}

// within reports whether one of the networks holds addr.
func within(addr netip.Addr, networks []netip.Prefix) bool {
	for _, network := range networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}
