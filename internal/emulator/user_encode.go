// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

// userFields writes a user as it appears inside other objects.
func (e *enc) userFields(u *user) {
	e.kstr("id", u.id)
	e.kstr("role", u.role)
	e.ktime("created_at", u.createdAt)
	e.ktime("updated_at", u.updatedAt)
	e.ktimeIf("last_active", u.lastActive)
	e.ktimeIf("deactivated_at", u.deactivatedAt)
	e.ktimeIf("deleted_at", u.deletedAt)
	e.ktimeIf("revoke_tokens_issued_before", u.revokeBefore)
	e.kbool("banned", u.banned)
	e.kbool("online", false)
	if u.language != "" {
		e.kstr("language", u.language)
	}
	if len(u.teams) > 0 {
		e.kstrs("teams", u.teams)
	}
	if u.invisible {
		e.kbool("invisible", true)
	}
	e.fields(u.fields)
}

// user writes an embedded user. A hard-deleted one is absent.
// unproven: dossier 10, "replaced/absent".
func (e *enc) user(u *user) {
	if u == nil || u.wiped {
		e.null()
		return
	}
	e.open('{')
	e.userFields(u)
	e.shut('}')
}

// fullUser writes a user as QueryUsers and the updates return it.
func (e *enc) fullUser(u *user) {
	e.open('{')
	e.kstr("id", u.id)
	e.kstr("role", u.role)
	e.kstr("language", u.language)
	e.kstrs("teams", u.teams)
	e.ktime("created_at", u.createdAt)
	e.ktime("updated_at", u.updatedAt)
	e.ktimeIf("last_active", u.lastActive)
	e.ktimeIf("deactivated_at", u.deactivatedAt)
	e.ktimeIf("revoke_tokens_issued_before", u.revokeBefore)
	e.kbool("banned", u.banned)
	e.kbool("shadow_banned", u.shadowBanned)
	e.kbool("online", false)
	e.kbool("invisible", u.invisible)
	for _, k := range []string{"blocked_user_ids", "mutes", "channel_mutes"} {
		e.key(k).raw([]byte("[]"))
	}
	e.key("devices").open('[')
	for i := range u.devices {
		e.device(&u.devices[i], u.id)
	}
	e.shut(']')
	for _, k := range []string{"unread_count", "total_unread_count", "unread_channels", "unread_threads"} {
		e.kint(k, 0)
	}
	e.fields(u.fields)
	e.shut('}')
}
