// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import "iter"

// bag is a list in order of arrival whose items can leave in constant time:
// an item that is gone is skipped, and the list is rebuilt when half are.
type bag[T interface{ isGone() bool }] struct {
	list []T
	dead int
}

func (b *bag[T]) add(x T) { b.list = append(b.list, x) }

// lost tells the bag that one of its items is gone.
func (b *bag[T]) lost() {
	b.dead++
	if b.dead < 16 || b.dead*2 < len(b.list) {
		return
	}
	// A new list, since someone may be ranging over the old one.
	kept := make([]T, 0, len(b.list)-b.dead)
	for _, x := range b.list {
		if !x.isGone() {
			kept = append(kept, x)
		}
	}
	b.list, b.dead = kept, 0
}

func (b *bag[T]) size() int { return len(b.list) - b.dead }

func (b *bag[T]) all() iter.Seq[T] {
	list := b.list
	return func(yield func(T) bool) {
		for _, x := range list {
			if !x.isGone() && !yield(x) {
				return
			}
		}
	}
}

// newest ranges from the last that came to the first.
func (b *bag[T]) newest() iter.Seq[T] {
	list := b.list
	return func(yield func(T) bool) {
		for i := len(list) - 1; i >= 0; i-- {
			if !list[i].isGone() && !yield(list[i]) {
				return
			}
		}
	}
}
