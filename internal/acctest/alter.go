// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"net/http"
	"net/http/httptest"
	"path"
	"sync/atomic"
)

// Alter changes the answers to the requests that call matches, e.g. "GET /tasks/*", as
// [path.Match] does, until off is called: what Stream might say otherwise than the dossier
// assumes. Requests are carried out as ever. Only of [InMemory].
func (s *Stream) Alter(call string, change func(status int, body []byte) (int, []byte)) (off func()) {
	next := s.memory.handler
	var ended atomic.Bool
	s.memory.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ok, _ := path.Match(call, r.Method+" "+r.URL.Path); !ok || ended.Load() {
			next.ServeHTTP(w, r)
			return
		}
		got := httptest.NewRecorder()
		next.ServeHTTP(got, r)
		for k, v := range got.Header() {
			w.Header()[k] = v
		}
		status, body := change(got.Code, got.Body.Bytes())
		w.Header().Del("Content-Length")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
	return func() { ended.Store(true) }
}
