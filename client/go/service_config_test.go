package tokens

import (
	"os"
	"testing"
)

func TestServiceConfigIsTheRepositorys(t *testing.T) {
	want, err := os.ReadFile("../../deploy/service-config.json")
	if err != nil {
		t.Fatal(err)
	}
	if serviceConfig != string(want) {
		t.Error("client/go/service-config.json is no copy of deploy/service-config.json")
	}
}
