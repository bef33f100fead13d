package fhirtest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// The names of the files that hold no resources of the population.
const (
	errorFile   = "errors.ndjson"
	deletedFile = "deleted.ndjson"
)

// Versions of Bulk Data Access where the manifest changed.
const (
	versionDeleted = 2
	versionPages   = 3
	versionOutcome = 4
)

// wrongCount is how far CountMismatch is off.
const wrongCount = 7

// parts is how many files a type is spread over.
func (s *Server) parts(j *job, t population.Type) int {
	patients := j.population.Patients()
	switch {
	case t == population.Organization:
		return 1
	case s.faults[ManyTinyFiles] && t != population.AdverseEvent:
		return min(patients, s.config.TinyFiles)
	}
	return min(patients, s.config.FilesPerType)
}

// query selects the lines of one file.
func (s *Server) query(j *job, t population.Type, part int) population.Query {
	return population.Query{Type: t, Part: part, Parts: s.parts(j, t), Since: j.since,
		Reverse: s.faults[OutOfOrder]}
}

// serveManifest answers a poll of a finished job.
func (s *Server) serveManifest(w http.ResponseWriter, r *http.Request, j *job) {
	output := s.output(r, j)
	version := s.config.ManifestVersion
	manifest := object{
		"transactionTime":     s.transactionTime(j).Format(time.RFC3339),
		"requiresAccessToken": !s.config.OpenFiles && !s.faults[TokenNeededAnyway],
		"extension":           object{"https://ehr.example.org/fake": true},
	}
	problems := []object{}
	if s.faults[PartialExport] {
		problems = append(problems, s.file(r, j, "OperationOutcome", errorFile, 1))
	}
	if version < versionOutcome {
		manifest["request"] = j.request
		manifest["error"] = problems
	} else {
		manifest["outcome"] = problems
	}
	if s.faults[NoErrorKey] {
		delete(manifest, "error")
		delete(manifest, "outcome")
	}
	if version >= versionDeleted {
		deleted := []object{}
		if n := s.deletions(r.Context(), j); n > 0 {
			deleted = append(deleted, s.file(r, j, "Bundle", deletedFile, n))
		}
		manifest["deleted"] = deleted
	}
	if version >= versionPages {
		output = s.page(r, j, manifest, output)
	}
	manifest["output"] = output
	w.Header().Set("Expires", s.now().Add(filesLive).UTC().Format(http.TimeFormat))
	answer(w, http.StatusOK, "application/json", manifest)
}

// page splits the output of the newer versions over two manifests, the second behind link.
func (s *Server) page(r *http.Request, j *job, manifest object, output []object) []object {
	manifest["outputOrganizedBy"] = ""
	half := (len(output) + 1) / 2
	if r.URL.Query().Get("page") == "2" {
		manifest["deleted"], manifest["error"] = []object{}, []object{}
		if s.config.ManifestVersion >= versionOutcome {
			delete(manifest, "error")
			manifest["outcome"] = []object{}
		}
		return output[half:]
	}
	if half < len(output) {
		manifest["link"] = []object{{"relation": "next", "url": s.link(r, "/bulkstatus/"+j.id+"?page=2")}}
	}
	return output[:half]
}

func (s *Server) transactionTime(j *job) time.Time {
	if s.faults[ClockSkew] {
		return j.population.AsOf().Add(skew)
	}
	return j.population.AsOf()
}

// output lists the files that are not empty.
func (s *Server) output(r *http.Request, j *job) []object {
	out := []object{}
	for _, t := range j.types {
		parts := s.parts(j, t)
		for part := range parts {
			if s.faults[PartialExport] && t == population.Encounter && part == parts-1 {
				continue
			}
			n := s.written(r.Context(), j, t, part)
			if n == 0 && !s.faults[ManyTinyFiles] {
				continue
			}
			if s.faults[CountMismatch] && t == population.Encounter {
				n += wrongCount
			}
			f := s.file(r, j, t.String(), fmt.Sprintf("%s.%d.ndjson", t, part), n)
			if s.config.ManifestVersion >= versionPages && part+1 < parts {
				f["continuesInFile"] = s.link(r, fmt.Sprintf("/bulkfiles/%s/%s.%d.ndjson", j.id, t, part+1))
			}
			out = append(out, f)
		}
	}
	return out
}

func (s *Server) file(r *http.Request, j *job, resourceType, name string, count int) object {
	return object{"type": resourceType, "url": s.link(r, "/bulkfiles/"+j.id+"/"+name), "count": count}
}

// written is how many resources the server believes to have written to a file: those that a fault
// puts in or repeats are among them.
func (s *Server) written(ctx context.Context, j *job, t population.Type, part int) int {
	n := j.population.Count(ctx, s.query(j, t, part))
	if s.faults[Duplicates] {
		n += n / everyRepeat
	}
	if t == population.Encounter && part == 0 {
		n += len(s.badLines())
	}
	return n
}

// deletions is how many Bundles the deleted file of the job holds.
func (s *Server) deletions(ctx context.Context, j *job) int {
	if j.since.IsZero() {
		return 0
	}
	n := 0
	for t := range j.population.Deletions(ctx, j.since) {
		if exported(j, t) {
			n++
		}
	}
	return (n + bundleSize - 1) / bundleSize
}

func exported(j *job, t population.Type) bool {
	for _, have := range j.types {
		if have == t {
			return true
		}
	}
	return false
}
