package client

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// maxCapabilityBytes bounds a CapabilityStatement; those of large vendors take some megabytes.
const maxCapabilityBytes = 64 << 20

// Capability is what a server's CapabilityStatement says that it can do.
// http://hl7.org/fhir/R4/capabilitystatement.html
type Capability struct {
	// FHIRVersion is such as 4.0.1.
	FHIRVersion string
	// Software is the product's own name and version, as far as given.
	Software string
	types    map[string]typeCapability
	// operations are those of the whole system, such as export.
	operations []string
}

// typeCapability is what a server can do with one resource type.
type typeCapability struct {
	interactions []string
	params       []string
	operations   []string
}

// Capability reads {base}/metadata. It needs no token, but a server that wants one gets it.
func (c *Client) Capability(ctx context.Context) (Capability, error) {
	const op = "read capability statement"
	var doc capabilityDocument
	request := Request{Op: op, URL: c.URL("metadata"), Auth: AuthOnDemand}
	if _, err := c.ReadJSON(ctx, request, maxCapabilityBytes, &doc); err != nil {
		return Capability{}, err
	}
	if doc.ResourceType != "CapabilityStatement" {
		return Capability{}, errors.New(op + ": the answer is not a CapabilityStatement")
	}
	return doc.capability(), nil
}

// Offers reports whether the server names the type at all.
func (c Capability) Offers(resourceType string) bool {
	_, ok := c.types[resourceType]
	return ok
}

// Searchable reports whether the type can be searched.
func (c Capability) Searchable(resourceType string) bool {
	return slices.Contains(c.types[resourceType].interactions, "search-type")
}

// Param reports whether the type can be searched by a parameter, such as _lastUpdated.
func (c Capability) Param(resourceType, name string) bool {
	return slices.Contains(c.types[resourceType].params, name)
}

// Operation reports whether the server names an operation, such as "export", on a type; on the
// whole system if resourceType is empty.
func (c Capability) Operation(resourceType, name string) bool {
	if resourceType == "" {
		return slices.Contains(c.operations, name)
	}
	return slices.Contains(c.types[resourceType].operations, name)
}

// capabilityDocument is the part of a CapabilityStatement that is read.
type capabilityDocument struct {
	ResourceType string `json:"resourceType"`
	FHIRVersion  string `json:"fhirVersion"`
	Software     struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"software"`
	Rest []struct {
		Mode     string `json:"mode"`
		Resource []struct {
			Type        string `json:"type"`
			Interaction []struct {
				Code string `json:"code"`
			} `json:"interaction"`
			SearchParam []named `json:"searchParam"`
			Operation   []named `json:"operation"`
		} `json:"resource"`
		Operation []named `json:"operation"`
	} `json:"rest"`
}

// named is an element of which the name alone is read.
type named struct {
	Name string `json:"name"`
}

// UnmarshalJSON reads the name and forgives the rest.
func (n *named) UnmarshalJSON(data []byte) error {
	var doc struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(data, &doc) == nil {
		n.Name = doc.Name
	}
	return nil
}

// capability gathers what the server's part of the statement says.
func (d capabilityDocument) capability() Capability {
	c := Capability{
		FHIRVersion: d.FHIRVersion,
		Software:    d.Software.Name,
		types:       make(map[string]typeCapability),
	}
	if d.Software.Version != "" {
		c.Software += " " + d.Software.Version
	}
	for _, rest := range d.Rest {
		if rest.Mode == "client" {
			continue
		}
		c.operations = append(c.operations, names(rest.Operation)...)
		for _, resource := range rest.Resource {
			t := c.types[resource.Type]
			for _, interaction := range resource.Interaction {
				t.interactions = append(t.interactions, interaction.Code)
			}
			t.params = append(t.params, names(resource.SearchParam)...)
			t.operations = append(t.operations, names(resource.Operation)...)
			c.types[resource.Type] = t
		}
	}
	return c
}

// names returns the names of elements.
func names(elements []named) []string {
	list := make([]string, len(elements))
	for i, element := range elements {
		list[i] = element.Name
	}
	return list
}
