// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
)

// retentionPolicy is an app-level policy. Nothing is deleted by it here: Stream
// starts a day after a policy is set.
type retentionPolicy struct {
	maxAgeHours int
	enabledAt   stamp
}

// retentionPolicies are the two that exist.
var retentionPolicies = []string{"inactive-channels", "old-messages"}

func retentionRoutes() []route {
	return []route{
		newRoute("GET /retention_policy", opGetRetentionPolicy, serverOnly, (*Emulator).getRetention),
		newRoute("POST /retention_policy", opSetRetentionPolicy, serverOnly, (*Emulator).setRetention),
		newRoute("POST /retention_policy/delete", opDeleteRetentionPolicy, serverOnly, (*Emulator).deleteRetention),
	}
}

func (e *Emulator) getRetention(c *call) error {
	c.out.key("policies").open('[')
	for _, name := range retentionPolicies {
		if p, ok := e.retention[name]; ok {
			c.out.retention(name, p)
		}
	}
	c.out.shut(']')
	return nil
}

func (e *Emulator) setRetention(c *call) error {
	var in struct {
		Policy      string `json:"policy"`
		MaxAgeHours int    `json:"max_age_hours"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if !slices.Contains(retentionPolicies, in.Policy) {
		return bad("policy must be one of %v", retentionPolicies)
	}
	if in.MaxAgeHours < 24 || in.MaxAgeHours > 43_800 {
		return bad("max_age_hours must be between 24 and 43800")
	}
	// unproven: whether a change sets enabled_at anew.
	p := retentionPolicy{maxAgeHours: in.MaxAgeHours, enabledAt: c.now}
	if old, ok := e.retention[in.Policy]; ok {
		p.enabledAt = old.enabledAt
	}
	e.retention[in.Policy] = p
	c.out.key("policy")
	c.out.retention(in.Policy, p)
	return nil
}

func (e *Emulator) deleteRetention(c *call) error {
	var in struct {
		Policy string `json:"policy"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if !slices.Contains(retentionPolicies, in.Policy) {
		return bad("policy must be one of %v", retentionPolicies)
	}
	if _, ok := e.retention[in.Policy]; !ok {
		return notFound("retention policy %s doesn't exist", in.Policy) // unproven: not in the dossier
	}
	delete(e.retention, in.Policy)
	return nil
}

func (e *enc) retention(name string, p retentionPolicy) {
	e.open('{')
	e.kint("app_pk", 1)
	e.kstr("policy", name)
	e.key("config").open('{')
	e.kint("max_age_hours", p.maxAgeHours)
	e.shut('}')
	e.ktime("enabled_at", p.enabledAt)
	e.shut('}')
}

// RetentionPolicy is how many hours a policy of the app leaves; false if it is not set.
func (e *Emulator) RetentionPolicy(name string) (hours int, ok bool) {
	defer e.lock()()
	p, ok := e.retention[name]
	return p.maxAgeHours, ok
}
