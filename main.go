// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Command terraform-provider-streamchat is the Terraform provider for erasing
// and exporting people's data at Stream Chat.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/signals"
)

// version is set by the linker at release.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "serve for a debugger and print how to attach")
	flag.Parse()

	if !*debug {
		signals.OutliveTermination()
		provider.SilenceUnheardLogs()
	}
	err := providerserver.Serve(context.Background(), provider.New(version, clock.Real{}), providerserver.ServeOpts{
		Address: provider.Address,
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
