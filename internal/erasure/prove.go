// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import "context"

// Prove finds a subject like [Engine.LookUp] and probes one that the query
// leaves out, so that it is never [FoundUnproven]: for what has to know whether
// somebody was deleted or never existed. The guards of erasures do not apply.
func (e *Engine[S]) Prove(ctx context.Context, id string) (Finding, error) {
	finding, err := e.LookUp(ctx, id)
	if err != nil || finding.Found != FoundUnproven {
		return finding, err
	}
	finding, err = e.deed.Probe(ctx, id)
	return finding, at(StageProbe, err)
}
