package auth

import (
	"context"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/scope"
)

// clientGrant decides what a client gets of what it asks for itself. fosite refuses a request as a
// whole when one scope is not allowed; SMART lets the server grant the allowed part, and tells it
// in the answer.
type clientGrant struct{ audience string }

// CanSkipClientAuth implements fosite.TokenEndpointHandler: nobody gets a scope unasked who.
func (*clientGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool {
	return false
}

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*clientGrant) CanHandleTokenEndpointRequest(
	_ context.Context, r fosite.AccessRequester,
) bool {
	return r.GetGrantTypes().ExactOne(clientCredentials)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler. What is malformed is not
// granted, like anything else that is not allowed; if nothing is left the request is refused.
func (g *clientGrant) HandleTokenEndpointRequest(
	_ context.Context, r fosite.AccessRequester,
) error {
	client, ok := r.GetClient().(*registered)
	if !ok {
		return refuse(serverError, "the request could not be answered", nil)
	}
	if !client.uses(clientCredentials) {
		return &refusal{
			status: 400, code: unauthorizedClient, client: client.ID,
			say: "the client is not registered for client_credentials",
		}
	}
	if len(r.GetRequestedScopes()) == 0 {
		return &refusal{status: 400, code: invalidScope, say: "scope is missing", client: client.ID}
	}
	var asked, allowed scope.Set
	for _, text := range r.GetRequestedScopes() {
		if s, err := scope.Parse(text); err == nil {
			asked = append(asked, s)
		}
	}
	for _, s := range client.scopes {
		// No person stands behind this grant, so there is no patient and no user in it.
		if s.Context != scope.Patient && s.Context != scope.User {
			allowed = append(allowed, s)
		}
	}
	granted := scope.Narrow(asked, allowed).Strings()
	if len(granted) == 0 {
		return &refusal{
			status: 400, code: invalidScope, client: client.ID,
			say: "none of the scopes asked for is allowed to this client",
		}
	}
	r.SetRequestedScopes(granted)
	for _, s := range granted {
		r.GrantScope(s)
	}
	r.SetRequestedAudience(fosite.Arguments{g.audience})
	r.GrantAudience(g.audience)
	return nil
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler: the token is written by
// the handler that follows.
func (*clientGrant) PopulateTokenEndpointResponse(
	context.Context, fosite.AccessRequester, fosite.AccessResponder,
) error {
	return nil
}
