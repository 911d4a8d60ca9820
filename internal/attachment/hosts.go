// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package attachment

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Stream's own hosts for what its users upload.
var streamHosts = []string{"*.stream-io-cdn.com", "stream-cloud-uploads.imgix.net", "stream-chat-*.imgix.net"}

// DefaultHosts are Stream's, and with an emulated Stream on this machine its own.
func DefaultHosts(base *url.URL) []string {
	if loopback(base.Hostname()) {
		return append([]string{base.Host}, streamHosts...)
	}
	return streamHosts
}

// pattern is a host name, or an address, in which * stands for a part of a label. The
// last two labels are always said.
var pattern = regexp.MustCompile(`^([a-z0-9*]([a-z0-9*-]*[a-z0-9*])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CheckHost tells what is wrong with an entry of a list of hosts: a host, and its port
// where that is not https's own.
func CheckHost(host string) error {
	lower := strings.ToLower(host)
	if _, err := netip.ParseAddr(lower); err == nil {
		return nil
	}
	if _, err := netip.ParseAddrPort(lower); err == nil {
		return nil
	}
	if name, port, err := net.SplitHostPort(lower); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("its port is none")
		}
		lower = name
	}
	labels := strings.Split(lower, ".")
	switch {
	case strings.Contains(lower, "/") || strings.Contains(lower, ":"):
		return errors.New("give the host alone, or host:port, without https:// or a path")
	case !pattern.MatchString(lower):
		return errors.New("it is no host name")
	case len(labels) < 2 && lower != "localhost", strings.Contains(strings.Join(labels[max(0, len(labels)-2):], "."), "*"):
		return errors.New("it would allow hosts of anybody: the last two parts of the name have to be given in full")
	}
	return nil
}

// allows reports that a list has a host, at the port that its scheme has or at the one that
// the list says.
func allows(hosts []string, u *url.URL) bool {
	host := labels(u.Hostname())
	for _, h := range hosts {
		port := ports[u.Scheme]
		if name, own, err := net.SplitHostPort(h); err == nil {
			h, port = name, own
		}
		if ok, err := path.Match(labels(h), host); err == nil && ok && cmp.Or(u.Port(), ports[u.Scheme]) == port {
			return true
		}
	}
	return false
}

var ports = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// labels makes a host's labels those of a path, so that * ends at a dot.
func labels(host string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSuffix(host, ".")), ".", "/")
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// private are ranges that netip does not call so: carriers', documentation's, benchmarks',
// translators', reserved ones, and what IPv6 once had for sites and for IPv4.
var private = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
}

// public reports that an address is one of the open internet.
func public(addr netip.Addr) bool {
	addr = addr.Unmap()
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	for _, p := range private {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}
