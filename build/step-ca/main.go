// The server of smallstep/certificates, as Debian ships its sources, with a configuration file as its only argument.
package main

import (
	"log"
	"os"

	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/ca"
	_ "github.com/smallstep/certificates/cas"
)

func main() {
	configuration, err := config.LoadConfiguration(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server, err := ca.New(configuration)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Run())
}
