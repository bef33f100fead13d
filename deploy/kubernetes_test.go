package deploy_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// manifests reads every object of the folder, by kind and name.
func manifests(t *testing.T) map[string]map[string]any {
	t.Helper()
	paths, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	all := map[string]map[string]any{}
	for _, path := range paths {
		for document := range strings.SplitSeq(read(t, path), "\n---\n") {
			object := tree(t, path, document)
			for _, key := range []string{"apiVersion", "kind"} {
				if s, ok := object[key].(string); !ok || s == "" {
					t.Errorf("%s: an object without %s", path, key)
				}
			}
			if object["kind"] != "Kustomization" && at(object, "metadata", "name") == nil {
				t.Errorf("%s: a %v without a name", path, object["kind"])
			}
			all[fmt.Sprintf("%v/%v", object["kind"], at(object, "metadata", "name"))] = object
		}
	}
	return all
}

func TestKustomizationNamesEveryManifest(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	var want []string
	for _, path := range paths {
		if name := filepath.Base(path); name != "kustomization.yaml" {
			want = append(want, name)
		}
	}
	got := texts(at(tree(t, "kustomization.yaml", read(t, "kubernetes/kustomization.yaml")), "resources"))
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("resources (-want +got):\n%s", d)
	}
}

func TestPodsHaveNoMoreRightsThanTheyNeed(t *testing.T) {
	t.Parallel()
	all := manifests(t)
	pods := map[string]any{
		"serve": at(all["Deployment/equitylens"], "spec", "template", "spec"),
		"sync":  at(all["CronJob/equitylens-sync"], "spec", "jobTemplate", "spec", "template", "spec"),
	}
	for name, pod := range pods {
		if at(pod, "securityContext", "runAsNonRoot") != true ||
			at(pod, "securityContext", "seccompProfile", "type") != "RuntimeDefault" {
			t.Errorf("%s: the pod may run as root, or without seccomp", name)
		}
		if at(pod, "automountServiceAccountToken") != false {
			t.Errorf("%s: the pod gets a token of the cluster", name)
		}
		containers := append(list(at(pod, "initContainers")), list(at(pod, "containers"))...)
		if len(containers) == 0 {
			t.Errorf("%s: no container", name)
		}
		for _, c := range containers {
			context := at(c, "securityContext")
			if at(context, "allowPrivilegeEscalation") != false || at(context, "readOnlyRootFilesystem") != true ||
				!slices.Equal(texts(at(context, "capabilities", "drop")), []string{"ALL"}) {
				t.Errorf("%s: container %v has too many rights: %v", name, at(c, "name"), context)
			}
			if at(c, "resources", "limits", "memory") == nil {
				t.Errorf("%s: container %v has no limit of memory", name, at(c, "name"))
			}
			checkMounts(t, pod, c)
		}
	}
}

// checkMounts holds the mounts of a container against the volumes of its pod.
func checkMounts(t *testing.T, pod, container any) {
	t.Helper()
	var volumes []any
	for _, v := range list(at(pod, "volumes")) {
		volumes = append(volumes, at(v, "name"))
	}
	for _, m := range list(at(container, "volumeMounts")) {
		if !slices.Contains(volumes, at(m, "name")) {
			t.Errorf("container %v mounts %v, which is no volume", at(container, "name"), at(m, "name"))
		}
	}
}

func TestManifestsAgree(t *testing.T) {
	t.Parallel()
	all := manifests(t)
	labels := at(all["Deployment/equitylens"], "spec", "template", "metadata", "labels")
	for _, selector := range []any{
		at(all["Deployment/equitylens"], "spec", "selector", "matchLabels"),
		at(all["Service/equitylens"], "spec", "selector"),
		at(all["PodDisruptionBudget/equitylens"], "spec", "selector", "matchLabels"),
		at(all["NetworkPolicy/equitylens-serve"], "spec", "podSelector", "matchLabels"),
	} {
		if d := cmp.Diff(labels, selector); d != "" {
			t.Errorf("a selector misses the servers (-labels +selector):\n%s", d)
		}
	}
	job := at(all["CronJob/equitylens-sync"], "spec", "jobTemplate", "spec", "template")
	policy := at(all["NetworkPolicy/equitylens-sync"], "spec", "podSelector", "matchLabels")
	if d := cmp.Diff(at(job, "metadata", "labels"), policy); d != "" {
		t.Errorf("the policy misses the sync (-labels +selector):\n%s", d)
	}
	if at(all["CronJob/equitylens-sync"], "spec", "concurrencyPolicy") != "Forbid" {
		t.Error("a second sync would be started beside one that runs")
	}
	probes := at(all["Deployment/equitylens"], "spec", "template", "spec", "containers", "0")
	if at(probes, "livenessProbe", "httpGet", "path") != "/healthz" ||
		at(probes, "readinessProbe", "httpGet", "path") != "/readyz" {
		t.Error("the probes are not /healthz and /readyz; a liveness probe of /readyz would restart for want of data")
	}
}

// The commands and flags of every manifest, unit and image are those of the program.
func TestCommandsExist(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, path := range []string{"systemd/equitylens.service", "systemd/equitylens-sync.service"} {
		for line := range strings.Lines(read(t, path)) {
			if _, command, ok := strings.Cut(line, "=/usr/local/bin/equitylens "); ok {
				lines = append(lines, strings.TrimSpace(command))
			}
		}
	}
	form := regexp.MustCompile(`(?m)(?:args|command): \[((?:serve|sync|snapshot)[^\]]*)\]`)
	for _, path := range []string{"kubernetes/serve.yaml", "kubernetes/sync.yaml", "compose/compose.yaml"} {
		for _, m := range form.FindAllStringSubmatch(read(t, path), -1) {
			lines = append(lines, strings.ReplaceAll(m[1], ",", ""))
		}
	}
	if len(lines) != 8 {
		t.Errorf("found %d command lines, want 8: %q", len(lines), lines)
	}
	known := regexp.MustCompile(`^(serve|sync|snapshot prune) --config /etc/equitylens/equitylens\.yaml( --data /\S+)?$`)
	for _, line := range lines {
		if !known.MatchString(line) {
			t.Errorf("%q is no command of the program", line)
		}
	}
}

func TestKustomizeBuilds(t *testing.T) {
	t.Parallel()
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("kubectl is not installed, so the manifests are parsed but not built")
	}
	out, err := exec.CommandContext(t.Context(), kubectl, "kustomize", "kubernetes").CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl kustomize: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "image: equitylens\n") {
		t.Error("an image is left without a registry and a tag")
	}
}
