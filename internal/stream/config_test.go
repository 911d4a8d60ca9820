// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseBaseURL(t *testing.T) {
	for s, want := range map[string]string{
		"":                                    DefaultBaseURL,
		DefaultBaseURL:                        DefaultBaseURL,
		DefaultBaseURL + "/":                  DefaultBaseURL,
		DefaultBaseURL + "///":                DefaultBaseURL,
		"HTTPS://Chat.Example":                "https://Chat.Example",
		"https://chat.example:8443/a/b/":      "https://chat.example:8443/a/b",
		"http://localhost:3030":               "http://localhost:3030",
		"http://LOCALHOST":                    "http://LOCALHOST",
		"http://127.0.0.1:80/":                "http://127.0.0.1:80",
		"http://127.8.9.10":                   "http://127.8.9.10",
		"http://[::1]:3030":                   "http://[::1]:3030",
		"http://[::ffff:127.0.0.1]":           "http://[::ffff:127.0.0.1]",
		"http://chat.example":                 "-",
		"http://10.0.0.1":                     "-",
		"http://localhost.example":            "-",
		"http://2130706433":                   "-",
		"https://user:canary@chat.example":    "-",
		"https://canary@chat.example":         "-",
		"https://chat.example?api_key=canary": "-",
		"https://chat.example?":               "-",
		"https://chat.example#canary":         "-",
		"https://chat.example#":               "-",
		"https://chat.example/a//b":           "-",
		"https://chat.example/../b":           "-",
		"https://chat.example/%2e%2e/b":       "-",
		"https://chat.example/a%2Fb":          "-",
		"https://chat.example:0":              "-",
		"https://chat.example:":               "-",
		"https://chat.example:70000":          "-",
		"https://chat.example:canary":         "-",
		"https://:443":                        "-",
		"https://":                            "-",
		"https:chat.example":                  "-",
		"//chat.example":                      "-",
		"chat.example":                        "-",
		"chat.example:443":                    "-",
		"/users":                              "-",
		"ftp://chat.example":                  "-",
		" https://chat.example":               "-",
		"https://chat.example\n":              "-",
		"https://chat example":                "-",
		"https://canary:pass%zz@chat.example": "-",
	} {
		u, err := ParseBaseURL(s)
		if want == "-" {
			var e *ConfigError
			if !errors.As(err, &e) || e.Field != "base_url" || u != nil {
				t.Errorf("%q: %v, %v", s, u, err)
			} else if strings.Contains(err.Error(), "canary") {
				t.Errorf("%q: %v", s, err)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%q: %v, %v", s, u, err)
		}
	}
}

func TestNewChecksItsConfig(t *testing.T) {
	valid := Config{APIKey: testKey, APISecret: testSecret}
	for name, test := range map[string]struct {
		change func(*Config)
		field  string
	}{
		"valid":            {func(*Config) {}, ""},
		"no key":           {func(c *Config) { c.APIKey = "" }, "api_key"},
		"no secret":        {func(c *Config) { c.APISecret = "" }, "api_secret"},
		"key with newline": {func(c *Config) { c.APIKey += "\n" }, "api_key"},
		"secret with tab":  {func(c *Config) { c.APISecret = "\t" + c.APISecret }, "api_secret"},
		"base":             {func(c *Config) { c.BaseURL = "http://canary.example" }, "base_url"},
		"timeout":          {func(c *Config) { c.RequestTimeout = -1 }, "request_timeout"},
		"retries":          {func(c *Config) { c.MaxRetries = -1 }, "max_retries"},
		"deletions":        {func(c *Config) { c.DeleteCallsPerMinute = -1 }, "delete_calls_per_minute"},
		"version":          {func(c *Config) { c.Version = "1.0\r\nX-Canary: ü" }, ""},
	} {
		config := valid
		test.change(&config)
		client, err := New(config)
		var e *ConfigError
		switch {
		case test.field == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.field == "":
			if strings.ContainsAny(client.transport.userAgent+client.transport.clientName, "\r\nü") {
				t.Errorf("%s: %q", name, client.transport.userAgent)
			}
		case !errors.As(err, &e) || e.Field != test.field || client != nil:
			t.Errorf("%s: %v", name, err)
		case strings.Contains(err.Error(), "canary"):
			t.Errorf("%s: %v", name, err)
		}
	}
	client, err := New(valid)
	if err != nil {
		t.Fatal(err)
	}
	if tr := client.transport; tr.timeout != 30*time.Second || tr.retries != 0 || tr.limiter.caps[OpDeleteUsers] != 6 ||
		client.base.String() != DefaultBaseURL {
		t.Errorf("defaults: %s, %d, %v", tr.timeout, tr.retries, tr.limiter.caps)
	}
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if s := fmt.Sprintf(format, valid); strings.Contains(s, "canary") {
			t.Error(s)
		}
		if s := fmt.Sprintf(format, client); strings.Contains(s, "canary") {
			t.Error(s)
		}
	}
}
