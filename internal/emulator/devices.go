// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"slices"
)

// device is a push device. It goes away with its user.
type device struct {
	id           string
	provider     string
	providerName string
	createdAt    stamp
}

func deviceRoutes() []route {
	return []route{
		newRoute("GET /devices", opListDevices, anyone, (*Emulator).listDevices),
		newRoute("POST /devices", opCreateDevice, anyone, (*Emulator).createDevice),
		newRoute("DELETE /devices", opDeleteDevice, anyone, (*Emulator).deleteDevice),
	}
}

func (e *Emulator) listDevices(c *call) error {
	u, err := c.actingUser(c.query.Get("user_id"), "user")
	if err != nil {
		return err
	}
	c.out.key("devices").open('[')
	for i := range u.devices {
		c.out.device(&u.devices[i], u.id)
	}
	c.out.shut(']')
	return nil
}

func (e *Emulator) createDevice(c *call) error {
	var in struct {
		ID           string `json:"id"`
		Provider     string `json:"push_provider"`
		ProviderName string `json:"push_provider_name"`
		UserID       string `json:"user_id"`
		User         struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if in.ID == "" || len(in.ID) > 255 {
		return bad("id must have 1 to 255 characters")
	}
	if !slices.Contains([]string{"firebase", "apn", "huawei", "xiaomi"}, in.Provider) {
		return bad("push_provider must be one of [firebase apn huawei xiaomi]")
	}
	u, err := c.actingUser(cmp.Or(in.UserID, in.User.ID), "user")
	if err != nil {
		return err
	}
	u.devices = slices.DeleteFunc(u.devices, func(d device) bool { return d.id == in.ID })
	u.devices = append(u.devices, device{in.ID, in.Provider, in.ProviderName, c.now})
	return nil
}

func (e *Emulator) deleteDevice(c *call) error {
	u, err := c.actingUser(c.query.Get("user_id"), "user")
	if err != nil {
		return err
	}
	id := c.query.Get("id")
	i := slices.IndexFunc(u.devices, func(d device) bool { return d.id == id })
	if i < 0 {
		return notFound("device with id %s doesn't exist", id)
	}
	u.devices = slices.Delete(u.devices, i, i+1)
	return nil
}

func (e *enc) device(d *device, userID string) {
	e.open('{')
	e.kstr("id", d.id)
	e.kstr("push_provider", d.provider)
	if d.providerName != "" {
		e.kstr("push_provider_name", d.providerName)
	}
	e.kstr("user_id", userID)
	e.ktime("created_at", d.createdAt)
	e.shut('}')
}
