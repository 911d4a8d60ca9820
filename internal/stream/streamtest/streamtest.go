// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package streamtest makes the errors of Stream's answers, for tests of those who
// have to take them.
package streamtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

var calls = map[stream.Operation]func(context.Context, *stream.Client) error{
	stream.OpDeleteChannels: func(ctx context.Context, c *stream.Client) error {
		_, err := c.DeleteChannels(ctx, []string{"type:id"}, true)
		return err
	},
	stream.OpDeleteMessage: func(ctx context.Context, c *stream.Client) error {
		_, err := c.DeleteMessage(ctx, "id", true)
		return err
	},
	stream.OpDeleteUsers: func(ctx context.Context, c *stream.Client) error {
		_, err := c.DeleteUsers(ctx, []string{"id"}, stream.UserDeletion{})
		return err
	},
	stream.OpExportChannels: func(ctx context.Context, c *stream.Client) error {
		_, err := c.ExportChannels(ctx, stream.ChannelExport{CIDs: []string{"type:id"}})
		return err
	},
	stream.OpExportUser: func(ctx context.Context, c *stream.Client) error {
		_, err := c.ExportUser(ctx, "id")
		return err
	},
	stream.OpGetMessage: func(ctx context.Context, c *stream.Client) error {
		_, err := c.GetMessage(ctx, "id")
		return err
	},
	stream.OpGetTask: func(ctx context.Context, c *stream.Client) error {
		_, err := c.Task(ctx, "id")
		return err
	},
	stream.OpQueryPolls: func(ctx context.Context, c *stream.Client) error {
		_, err := c.PollsCreatedBy(ctx, []string{"id"}, "id")
		return err
	},
}

// Failure is the error of a call that is not repeated and is answered with this
// HTTP status and body, nil where that is a success.
func Failure(op stream.Operation, status int, body []byte) error {
	call, ok := calls[op]
	if !ok {
		panic(fmt.Sprintf("streamtest: no call for %s", op))
	}
	c, err := stream.New(stream.Config{
		APIKey: "key", APISecret: "secret", Clock: clocktest.New(time.Unix(0, 0)), Transport: answer{status, body},
	})
	if err != nil {
		panic(err)
	}
	return call(context.Background(), c)
}

type answer struct {
	status int
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r,
		Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}
