package bulk

import (
	"fmt"
	"io"

	"github.com/equitylens/equitylens/fhir/client"
)

// maxOutcomeBytes bounds one line of an error file.
const maxOutcomeBytes = 1 << 20

// unreadable is counted for a line of an error file that is no OperationOutcome. What a server says
// in vain is taken for the worst.
func unreadable() client.Issue { return client.Issue{Severity: "error", Code: "structure"} }

// ReadOutcomes counts the issues of a file of kind Error: one OperationOutcome a line.
func ReadOutcomes(path string, limits Limits) (map[client.Issue]int64, error) {
	file, err := OpenLimited(path, limits)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	counts := make(map[client.Issue]int64)
	lines := newLineReader(file)
	for lines.next() {
		line, err := io.ReadAll(io.LimitReader(lines, maxOutcomeBytes))
		if err != nil {
			return counts, fmt.Errorf("read error file: %w", err)
		}
		issues, err := client.ParseOutcome(line)
		if err != nil {
			issues = []client.Issue{unreadable()}
		}
		for _, issue := range issues {
			counts[issue]++
		}
	}
	if lines.err != nil {
		return counts, fmt.Errorf("read error file: %w", lines.err)
	}
	return counts, nil
}
