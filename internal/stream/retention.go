// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"slices"
	"time"
)

// RetentionPolicy is an app-level rule by which Stream hard-deletes for
// everybody (stream-api.md §11; RetentionPolicy of the OpenAPI).
type RetentionPolicy struct {
	// Name is "old-messages" or "inactive-channels".
	Name        string
	MaxAgeHours int64
	// EnabledAt is UTC, nil when Stream did not give it. Stream's grace of a day
	// begins then.
	EnabledAt *time.Time
}

// RetentionPolicies lists the policies that the app has (GET
// /retention_policy). An app without any gives none.
func (c *Client) RetentionPolicies(ctx context.Context) ([]RetentionPolicy, error) {
	return call(ctx, c, request{op: OpGetRetentionPolicy}, decodePolicies)
}

// SetRetentionPolicy creates or changes a policy (POST /retention_policy) and
// returns what Stream then has. maxAgeHours is 24 to 43,800. When the answer is
// lost, the list decides.
func (c *Client) SetRetentionPolicy(ctx context.Context, name string, maxAgeHours int64) (RetentionPolicy, error) {
	body := map[string]any{"policy": name, "max_age_hours": maxAgeHours}
	policy, err := call(ctx, c, request{op: OpSetRetentionPolicy, body: body}, func(body []byte) (RetentionPolicy, error) {
		answer, _ := decodeObject(body)
		policy, err := decodePolicy(answer["policy"])
		if err == nil && (policy.Name != name || policy.MaxAgeHours != maxAgeHours) {
			err = shapeError("it confirms another policy")
		}
		return policy, err
	})
	var e *Error
	if !errors.As(err, &e) || !e.Ambiguous {
		return policy, err
	}
	held, found, listErr := c.retentionPolicy(ctx, name)
	if listErr != nil || !found || held.MaxAgeHours != maxAgeHours {
		return RetentionPolicy{}, err
	}
	return held, nil
}

// DeleteRetentionPolicy removes a policy (POST /retention_policy/delete). What
// it deleted stays deleted. A policy that the app does not have is no error,
// whatever Stream answers (not documented): the list decides.
func (c *Client) DeleteRetentionPolicy(ctx context.Context, name string) error {
	_, err := call(ctx, c, request{op: OpDeleteRetentionPolicy, body: map[string]any{"policy": name}}, accept)
	var e *Error
	if !errors.As(err, &e) || !unsettled(e) {
		return err
	}
	if _, found, listErr := c.retentionPolicy(ctx, name); listErr != nil || found {
		return err
	}
	return nil
}

func (c *Client) retentionPolicy(ctx context.Context, name string) (p RetentionPolicy, found bool, err error) {
	policies, err := c.RetentionPolicies(ctx)
	i := slices.IndexFunc(policies, func(p RetentionPolicy) bool { return p.Name == name })
	if err != nil || i < 0 {
		return p, false, err
	}
	return policies[i], true, nil
}

func decodePolicies(body []byte) ([]RetentionPolicy, error) {
	answer, ok := decodeObject(body)
	if !ok {
		return nil, shapeError("the answer is not an object")
	}
	if string(answer["policies"]) == "null" { // an empty list, as servers in Go write it
		return nil, nil
	}
	rows, err := answer.list("policies")
	if err != nil {
		return nil, err
	}
	policies := make([]RetentionPolicy, len(rows))
	for i, raw := range rows {
		if policies[i], err = decodePolicy(raw); err != nil {
			return nil, err
		}
	}
	return policies, nil
}

func decodePolicy(raw []byte) (p RetentionPolicy, err error) {
	row, _ := decodeObject(raw)
	if p.Name, err = row.must("policy"); err != nil {
		return p, err
	}
	config, _ := decodeObject(row["config"])
	if config.empty("max_age_hours") {
		return p, shapeError("max_age_hours is missing")
	}
	if err = config.into("max_age_hours", &p.MaxAgeHours, "a number of hours"); err != nil {
		return p, err
	}
	p.EnabledAt, err = row.moment("enabled_at")
	return p, err
}
