package auth

import (
	"net/netip"
	"testing"
)

func TestIsPublic(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"93.184.216.34":            true,
		"2606:2800:220:1::1":       true,
		"127.0.0.1":                false,
		"127.9.9.9":                false,
		"::1":                      false,
		"10.1.2.3":                 false,
		"172.16.0.1":               false,
		"172.32.0.1":               true,
		"192.168.1.1":              false,
		"169.254.169.254":          false,
		"100.100.100.200":          false,
		"0.0.0.0":                  false,
		"0.1.2.3":                  false,
		"::":                       false,
		"224.0.0.1":                false,
		"255.255.255.255":          false,
		"240.0.0.1":                false,
		"198.18.0.1":               false,
		"fd00:ec2::254":            false,
		"fe80::1":                  false,
		"fec0::1":                  false,
		"ff02::1":                  false,
		"::ffff:127.0.0.1":         false,
		"::ffff:10.0.0.1":          false,
		"::ffff:93.184.216.34":     true,
		"64:ff9b::169.254.169.254": false,
		"2002:7f00:1::":            false,
	} {
		if got := isPublic(netip.MustParseAddr(in)); got != want {
			t.Errorf("isPublic(%s) = %v, want %v", in, got, want)
		}
	}
	if isPublic(netip.Addr{}) {
		t.Error("isPublic of no address = true")
	}
	for _, address := range []string{"127.0.0.1:443", "[::1]:443", "localhost:443", ""} {
		if publicOnly("tcp", address, nil) == nil {
			t.Errorf("publicOnly(%q) = nil, want an error", address)
		}
	}
}
