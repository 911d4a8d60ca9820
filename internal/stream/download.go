// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// OpDownloadExport names the reading of an export's file in errors. It is no
// operation of Stream's API: the file is in a bucket, under a signed URL.
const OpDownloadExport Operation = "DownloadExport"

const maxRedirects = 5

// newFileClient makes the client for signed URLs. It has nothing of the API's:
// no key, no token, no limits. Compression stays off, as it would shift the
// offsets at which a broken download goes on.
func newFileClient() *http.Client {
	t := newHTTPTransport()
	t.DisableCompression = true
	return &http.Client{
		Transport: t,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || !fileAddress(req.URL, via[0].URL) {
				return http.ErrUseLastResponse
			}
			req.Header.Del("Referer") // the signed URL
			return nil
		},
	}
}

// fileAddress says whether a file may be read from u: over https, and over http
// from a loopback host when base is there as well.
func fileAddress(u, base *url.URL) bool {
	if u.User != nil || u.Hostname() == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) && loopback(base.Hostname())
}

// OpenExport reads the file of a completed export task as a stream; Close ends
// it. The task is asked for the file's URL, again whenever that has expired. A
// connection that breaks or brings nothing for RequestTimeout is made anew, up
// to MaxRetries times without progress, and goes on where it stopped; what is
// sent again is compared with what was read. Nothing is buffered.
//
// Errors, also those of Read, are *Error of OpDownloadExport or OpGetTask. None
// holds the URL, which opens the file to whoever has it.
func (c *Client) OpenExport(ctx context.Context, task string) (io.ReadCloser, error) {
	d := &download{ctx: ctx, client: c, task: task, hash: sha256.New()}
	if err := d.connect(); err != nil {
		return nil, err
	}
	if !d.gzip {
		return d, nil
	}
	plain, err := gzip.NewReader(d)
	if err != nil {
		_ = d.Close()
		return nil, d.broken(err)
	}
	return &gzipFile{plain: plain, download: d}, nil
}

// download is a file's bytes over any number of connections.
type download struct {
	ctx    context.Context
	client *Client
	task   string

	url    *url.URL // nil: to be asked for
	body   io.ReadCloser
	cancel context.CancelFunc
	idle   *time.Timer
	gzip   bool
	etag   string

	offset int64
	hash   hash.Hash // of the bytes up to offset
	tries  int       // connections since the last byte
	err    error
}

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	if d.err != nil || len(p) == 0 {
		return 0, d.err
	}
	for {
		if d.body == nil {
			if err := d.connect(); err != nil {
				d.err = err
				return 0, err
			}
		}
		d.idle.Reset(d.client.transport.timeout)
		n, err := d.body.Read(p)
		d.idle.Stop()
		if n > 0 {
			d.hash.Write(p[:n]) // never fails
			d.offset += int64(n)
			d.tries = 0
		}
		switch {
		case err == io.EOF:
			d.err = io.EOF
			return n, io.EOF
		case err != nil:
			d.hangUp()
			if d.tries > d.client.transport.retries && d.ctx.Err() == nil {
				d.err = d.fail(KindNetwork, 0, "the connection broke")
				return n, d.err
			}
		}
		if n > 0 {
			return n, nil
		}
	}
}

// Close implements io.Closer.
func (d *download) Close() error {
	d.hangUp()
	if d.err == nil {
		d.err = d.fail(KindCanceled, 0, "closed")
	}
	return nil
}

func (d *download) hangUp() {
	if d.body != nil {
		_ = d.body.Close()
		d.body = nil
		d.cancel()
	}
}

func (d *download) fail(kind Kind, status int, detail string) *Error {
	return &Error{Op: OpDownloadExport, Kind: kind, HTTPStatus: status, detail: detail}
}

// connect opens the file at the offset.
func (d *download) connect() error {
	t := d.client.transport
	for {
		if d.ctx.Err() != nil {
			return canceled(OpDownloadExport, context.Cause(d.ctx))
		}
		if d.tries > 0 {
			wait := jitter(backoff(retryDelay, maxRetryDelay, d.tries))
			t.log(d.ctx, "going on with the download of an export", map[string]any{"attempt": d.tries + 1, "seconds": seconds(wait)})
			if t.clock.Sleep(d.ctx, wait) != nil {
				return canceled(OpDownloadExport, context.Cause(d.ctx))
			}
		}
		d.tries++
		failure := d.open()
		if failure == nil {
			return nil
		}
		d.hangUp()
		if d.ctx.Err() != nil {
			return canceled(OpDownloadExport, context.Cause(d.ctx))
		}
		if !failure.Retryable || d.tries > t.retries {
			return failure
		}
	}
}

// open makes one connection.
func (d *download) open() *Error {
	if d.url == nil {
		task, err := d.client.Task(d.ctx, d.task)
		if err != nil {
			e := *clean(d.ctx, OpGetTask, err)
			e.Retryable = false // repeated already
			return &e
		}
		u, err := url.Parse(task.URL)
		if task.URL == "" || err != nil || !fileAddress(u, d.client.base) {
			return unexpected(OpGetTask, http.StatusOK, shapeError("the task has no https address of a file"))
		}
		d.url = u
	}
	ctx, cancel := context.WithCancel(d.ctx)
	timeout := d.client.transport.timeout
	d.idle = time.AfterFunc(timeout, cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url.String(), nil)
	if err != nil {
		cancel()
		return d.fail(KindUnexpectedBody, 0, "the file's address is not one")
	}
	req.Header.Set("User-Agent", d.client.transport.userAgent)
	if d.offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.offset))
		if d.etag != "" {
			req.Header.Set("If-Range", d.etag)
		}
	}
	resp, err := d.client.files.Do(req) //nolint:bodyclose // hangUp closes it
	d.idle.Stop()
	if err != nil {
		cancel()
		if d.ctx.Err() != nil {
			return canceled(OpDownloadExport, context.Cause(d.ctx))
		}
		e := d.fail(KindNetwork, 0, "the file's host could not be reached")
		e.Retryable = !untrusted(err) && !notTLS(err)
		return e
	}
	d.body, d.cancel = resp.Body, cancel
	return d.accept(resp)
}

// accept takes an answer for the file's bytes from the offset on.
func (d *download) accept(resp *http.Response) *Error {
	status := resp.StatusCode
	switch {
	case status == http.StatusOK:
		d.gzip = resp.Header.Get("Content-Encoding") == "gzip"
		if etag := resp.Header.Get("ETag"); d.offset == 0 && strings.HasPrefix(etag, `"`) {
			d.etag = etag // a strong one
		}
		return d.skip()
	case status == http.StatusPartialContent && d.offset > 0:
		// A host may also send less than it was asked for, which would pass for the
		// end of the file.
		var from, last, size int64
		n, _ := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &last, &size)
		if n < 2 || from != d.offset || n == 3 && last != size-1 {
			return d.fail(KindUnexpectedBody, status, "the file's host sent another part than it was asked for")
		}
		return nil
	case status >= 300 && status < 400:
		return d.fail(KindUnexpectedBody, status, "the file's host redirects to a place that is not followed")
	case status == http.StatusForbidden || status == http.StatusUnauthorized || status == http.StatusNotFound || status == http.StatusGone:
		// Expired, most likely.
		d.url = nil
		e := d.fail(KindForbidden, status, "the file's host refuses the address that Stream gave, or the file is gone")
		e.Retryable = true
		return e
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
		e := d.fail(KindServer, status, "the file's host failed")
		e.Retryable = true
		return e
	default:
		return d.fail(KindUnexpectedBody, status, "the file's host did not send the file")
	}
}

// skip passes over what was read before, on a host that knows no ranges, and
// makes sure that it is the same.
func (d *download) skip() *Error {
	again := sha256.New()
	for left := d.offset; left > 0; {
		d.idle.Reset(d.client.transport.timeout)
		n, err := io.CopyN(again, d.body, min(left, 64<<10))
		d.idle.Stop()
		if left -= n; err != nil && left > 0 {
			e := d.fail(KindNetwork, 0, "the connection broke")
			e.Retryable = true
			return e
		}
	}
	if string(again.Sum(nil)) != string(d.hash.Sum(nil)) {
		return d.fail(KindUnexpectedBody, http.StatusOK, "the file changed while it was read")
	}
	return nil
}

// broken is the error for a file that cannot be unpacked.
func (d *download) broken(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return d.fail(KindUnexpectedBody, http.StatusOK, "the file is not the gzip that its host says it is")
}

// gzipFile unpacks a file that its host keeps packed.
type gzipFile struct {
	plain    *gzip.Reader
	download *download
}

func (g *gzipFile) Read(p []byte) (int, error) {
	n, err := g.plain.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a reader's plain end
		err = g.download.broken(err)
	}
	return n, err
}

func (g *gzipFile) Close() error { return g.download.Close() }

// ExportTask waits for an export task to complete. One that ends otherwise, or
// that Stream forgot, is KindTask.
func (c *Client) ExportTask(ctx context.Context, id string) error {
	task, err := c.WaitTask(ctx, id)
	switch {
	case err != nil:
		return err
	case task.Status != TaskCompleted:
		return &Error{Op: OpGetTask, Kind: KindTask, detail: "it ended without completing"}
	}
	return nil
}
