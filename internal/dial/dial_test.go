package dial

import (
	"net"
	"net/netip"
	"testing"
)

// TestAddressGuard lists addresses of every kind, with nothing allowed and with each permission.
func TestAddressGuard(t *testing.T) {
	t.Parallel()
	const public, loopback, private, never = "", "loopback", "private network", "never"
	tests := []struct{ in, want string }{
		{"8.8.8.8", public}, {"2606:4700::1111", public}, {"64:ff9b::808:808", public},
		{"127.0.0.1", loopback}, {"127.255.0.9", loopback}, {"::1", loopback},
		{"::ffff:127.0.0.1", loopback}, {"64:ff9b::7f00:1", loopback}, {"2002:7f00:1::", loopback},
		{"10.0.0.1", private}, {"172.31.255.255", private}, {"192.168.1.1", private},
		{"100.64.0.1", private}, {"fd12::1", private}, {"::ffff:10.0.0.1", private},
		{"64:ff9b::a00:1", private},
		{"::ffff:168.63.129.16", never}, {"::ffff:0.1.2.3", never}, {"::ffff:100.64.0.1", private},
		{"169.254.169.254", never}, {"::ffff:169.254.169.254", never}, {"fd00:ec2::254", never},
		{"100.100.100.200", never}, {"168.63.129.16", never}, {"64:ff9b::a9fe:a9fe", never},
		{"169.254.0.5", never}, {"fe80::1", never}, {"fe80::1%eth0", never}, {"224.0.0.1", never},
		{"ff02::1", never}, {"0.0.0.0", never}, {"::", never}, {"0.1.2.3", never},
		{"255.255.255.255", never}, {"192.0.0.8", never}, {"fec0::1", never}, {"240.0.0.1", never}, {"172.32.0.1", public},
		{"::ffff:93.184.216.34", public}, {"198.19.0.1", never}, {"2001:db8::1", never},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			addr := netip.MustParseAddr(tt.in)
			for _, guard := range []Guard{
				{}, {Loopback: true}, {Private: true}, {Loopback: true, Private: true},
			} {
				want := tt.want == public || tt.want == loopback && guard.Loopback ||
					tt.want == private && guard.Private
				if got := guard.refusal(addr); (got == "") != want {
					t.Errorf("%+v refuses %s as %q, want allowed %t", guard, tt.in, got, want)
				}
				err := guard.Control("tcp", net.JoinHostPort(tt.in, "443"), nil)
				if (err == nil) != want {
					t.Errorf("%+v dials %s: %v, want allowed %t", guard, tt.in, err, want)
				}
			}
		})
	}
	for _, broken := range []string{"", "8.8.8.8", "name:443", "[::1"} {
		if (Guard{Loopback: true, Private: true}).Control("tcp", broken, nil) == nil {
			t.Errorf("address %q is allowed", broken)
		}
	}
}
