// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package erasure carries out irreversible deletions at Stream and says what
// came of them. It knows no Terraform: a resource hands it a subject and a
// scope, and gets back an [Attempt] that is fit to be recorded.
//
// The path of one erasure:
//
//	Examine   the wrong-app guard, the look-up (shared, up to 100 ids a query),
//	          the probe that tells "deleted" from "never existed", the guards
//	Erase     Examine once more, then one delete call shared by all that ask for
//	          the same scope at the same time (up to 100 subjects)
//	Resume    one poller per task, shared by all who wait for it
//	settle    the task's word on this subject, then the look-up that no longer
//	          finds it
//
// What differs between users, channels and messages is a [Deed]; what is asked
// of Stream is a [Scope]. Nothing here ever claims what Stream did not say.
package erasure
