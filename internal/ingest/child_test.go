package ingest_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// child is a process that does one sync.
type child struct {
	*exec.Cmd
	t   *testing.T
	out *bufio.Scanner
}

func startChild(t *testing.T, o order) *child {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.CommandContext(t.Context(), binary), t: t}
	c.Env = append(os.Environ(), childVariable+"="+string(text))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	return c
}

// step reads on to a step whose text holds word, and returns how many steps there were so far.
func (c *child) step(word string) int {
	c.t.Helper()
	for n := 1; c.out.Scan(); n++ {
		if strings.HasPrefix(c.out.Text(), "step ") && strings.Contains(c.out.Text(), word) {
			return n
		}
	}
	c.t.Fatalf("the child ended without the step %q", word)
	return 0
}

// kill ends the child at once and waits until it is gone.
func (c *child) kill() {
	c.t.Helper()
	if err := c.Process.Kill(); err != nil {
		c.t.Fatal(err)
	}
	_ = c.Wait() // Its status is that it was killed.
}

// end reads to the end and returns what the child said of itself, by its first word, and how many
// steps it took.
func (c *child) end() (said map[string]string, steps int) {
	c.t.Helper()
	said = map[string]string{}
	for c.out.Scan() {
		word, rest, _ := strings.Cut(c.out.Text(), " ")
		said[word+" "] = rest
		if word == "step" {
			steps++
		}
	}
	_ = c.Wait() // What it said counts.
	return said, steps
}
