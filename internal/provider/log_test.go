// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/terraform-plugin-log/tflog"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

func TestLogMasksWhatIsLoggedByMistake(t *testing.T) {
	const secret, key, pseudonym = "canary/secret+1", "canary", "canary-pseudonym"
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"server": true}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ctx := tflog.SetField(tflogtest.RootLogger(t.Context(), &out), "tf_rpc", "ReadResource")
	log := logger(secret, key, "", pseudonym)
	log(ctx, "GET /app?api_key=canary with canary%2Fsecret%2B1", map[string]any{
		"authorization": signed, "basic": "Y2FuYXJ5L3NlY3JldCsx", "receipts": "by " + pseudonym, "attempt": 2, "operation": "GetApp",
		"error": errors.New("key canary"), "list": []string{"canary"},
	})
	line := strings.TrimSpace(out.String())
	want := `{"@level":"info","@message":"GET /app?api_key=*** with ` +
		`***","@module":"provider.stream","attempt":2,"authorization":"***","basic":"***","error":"key ` +
		`***","list":"[***]","operation":"GetApp","receipts":"by ***","tf_rpc":"ReadResource"}`
	if line != want {
		t.Errorf("logged %s\nwant   %s", line, want)
	}
}

// The subjects of a batch share the context of one request; with the masks on that
// context, tflog would write to one map from all of them.
func TestLogFromManySubjectsAtOnce(t *testing.T) {
	var out locked
	ctx := tflog.SetField(tflogtest.RootLogger(t.Context(), &out), "tf_rpc", "ApplyResourceChange")
	log := logger("canary")
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() { log(ctx, "waiting with canary", map[string]any{"operation": "canary"}) })
	}
	wg.Wait()
	if n := strings.Count(out.String(), `"@message":"waiting with ***"`); n != 1000 || strings.Contains(out.String(), "canary") {
		t.Errorf("%d lines with their masks", n)
	}
}

// locked takes whole lines from any number of loggers, as a file does.
type locked struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func TestLogIsOffWhereNobodyListens(t *testing.T) {
	for name, test := range map[string]struct {
		set   map[string]string
		heard bool
	}{
		"nothing":                    {},
		"a file alone":               {set: map[string]string{"TF_LOG_PATH": "/dev/null"}},
		"the raw protocol alone":     {set: map[string]string{"TF_LOG_SDK_PROTO_DATA_DIR": "/dev/null"}},
		"Terraform alone":            {set: map[string]string{"TF_LOG_CORE": "TRACE"}},
		"another provider":           {set: map[string]string{"TF_LOG_PROVIDER_OTHER": "TRACE"}},
		"off":                        {set: map[string]string{"TF_LOG": "OFF", "TF_LOG_PROVIDER": " off "}},
		"all":                        {set: map[string]string{"TF_LOG": "error"}, heard: true},
		"all as JSON":                {set: map[string]string{"TF_LOG": "json"}, heard: true},
		"a level nobody knows":       {set: map[string]string{"TF_LOG": "1"}, heard: true},
		"providers":                  {set: map[string]string{"TF_LOG_PROVIDER": "INFO"}, heard: true},
		"providers but not the rest": {set: map[string]string{"TF_LOG": "off", "TF_LOG_PROVIDER": "INFO"}, heard: true},
		"this provider":              {set: map[string]string{"TF_LOG_PROVIDER_STREAMCHAT": "warn"}, heard: true},
		"the framework":              {set: map[string]string{"TF_LOG_SDK_FRAMEWORK": "trace"}, heard: true},
		"the SDK":                    {set: map[string]string{"TF_LOG_SDK": "debug"}, heard: true},
		"the protocol":               {set: map[string]string{"TF_LOG_SDK_PROTO": "debug"}, heard: true},
	} {
		t.Run(name, func(t *testing.T) {
			before := map[string]string{}
			for _, variable := range slices.Concat(listeners, ownLevels) {
				before[variable] = test.set[variable]
				t.Setenv(variable, test.set[variable])
			}
			for variable, value := range test.set {
				t.Setenv(variable, value)
			}
			SilenceUnheardLogs()
			for variable, want := range before {
				if !test.heard && slices.Contains(ownLevels, variable) {
					want = "off"
				}
				if got := os.Getenv(variable); got != want {
					t.Errorf("%s is %q, want %q", variable, got, want)
				}
			}
		})
	}
}
