// An adapter for arcrun-conformance, with one method to begin with.
//
// The protocol is described in PROTOCOL.md of arcrun-conformance. Replace client by your SDK, then add a method to
// capabilities and to call, run the suite, and repeat.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
)

var capabilities = []string{"health", "user_agent"}

// sdkError stands for the errors of your SDK: name is one of the names that PROTOCOL.md lists.
type sdkError struct {
	name    string
	message string
	status  int
}

func (err *sdkError) Error() string { return err.message }

// client stands for the client of your SDK.
type client struct {
	baseURL string
}

// health returns the engine's health.
func (c *client) health() (any, error) {
	request, err := http.NewRequest(http.MethodGet, c.baseURL+"/health", nil)
	if err != nil {
		return nil, &sdkError{name: "configuration", message: err.Error()}
	}
	request.Header.Set("User-Agent", "arcrun-go/0.1.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, &sdkError{name: "connection", message: err.Error()}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		name := "status"
		if response.StatusCode >= 500 {
			name = "server"
		}
		message := fmt.Sprintf("the engine responded with %d", response.StatusCode)
		return nil, &sdkError{name, message, response.StatusCode}
	}
	var health any
	if err := json.NewDecoder(response.Body).Decode(&health); err != nil {
		return nil, &sdkError{name: "unexpected_response", message: err.Error()}
	}
	return health, nil
}

type command struct {
	ID        int             `json:"id"`
	Command   string          `json:"command"`
	Client    string          `json:"client"`
	Method    string          `json:"method"`
	Arguments json.RawMessage `json:"arguments"`
	Options   struct {
		BaseURL string `json:"base_url"`
	} `json:"options"`
}

var clients = map[string]*client{}

// call returns what a method of the SDK returns.
func call(c *client, method string, arguments json.RawMessage) (any, error) {
	switch method {
	case "health":
		return c.health()
	}
	return nil, fmt.Errorf("%s is missing in this adapter", method)
}

// carryOut returns the result of a command.
func carryOut(cmd command) (any, error) {
	switch cmd.Command {
	case "start":
		return map[string]any{
			"protocol":     1,
			"sdk":          map[string]string{"name": "SDK_NAME", "version": "0.1.0", "language": "go"},
			"runtime":      runtime.Version(),
			"capabilities": capabilities,
		}, nil
	case "construct":
		clients[cmd.Client] = &client{strings.TrimRight(cmd.Options.BaseURL, "/")}
	case "call":
		return call(clients[cmd.Client], cmd.Method, cmd.Arguments)
	case "reset":
		clients = map[string]*client{}
	}
	return struct{}{}, nil
}

// reply returns the reply to a command.
func reply(cmd command) map[string]any {
	result, err := carryOut(cmd)
	var known *sdkError
	switch {
	case err == nil:
		return map[string]any{"id": cmd.ID, "result": result}
	case errors.As(err, &known):
		described := map[string]any{"name": known.name, "class": "sdkError", "message": known.message}
		if known.status != 0 {
			described["status"] = known.status
		}
		return map[string]any{"id": cmd.ID, "error": described}
	default: // whatever is no error of the SDK is a failure of the adapter
		return map[string]any{"id": cmd.ID, "failure": map[string]any{"message": err.Error()}}
	}
}

func main() {
	input := bufio.NewReader(os.Stdin) // a Scanner would end at lines of more than 64 kB
	output := json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		var cmd command
		if err := json.Unmarshal(line, &cmd); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := output.Encode(reply(cmd)); err != nil || cmd.Command == "stop" {
			return
		}
	}
}
