package auth

import (
	"context"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
)

// personGrant is what stands around fosite's handlers of codes and refresh tokens: a token may be
// asked for less than was granted (B5), a role that has lost a scope takes it along, and the
// launch context and the id_token go into the answer.
type personGrant struct{ server *Server }

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*personGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*personGrant) CanHandleTokenEndpointRequest(
	_ context.Context, r fosite.AccessRequester,
) bool {
	return r.GetGrantTypes().ExactOne(authorizationCode) || r.GetGrantTypes().ExactOne(refreshToken)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler. It comes after fosite's
// handler, so that the session and what was granted are there.
func (*personGrant) HandleTokenEndpointRequest(
	_ context.Context, r fosite.AccessRequester,
) error {
	if !r.GetGrantTypes().ExactOne(refreshToken) {
		return nil
	}
	granted, err := scope.ParseSet(strings.Join(r.GetGrantedScopes(), " "))
	if err != nil {
		return refuse(serverError, "the request could not be answered", nil)
	}
	for _, text := range strings.Fields(r.GetRequestForm().Get("scope")) {
		s, err := scope.Parse(text)
		if err != nil || !granted.Covers(s) {
			return &refusal{
				status: 400, code: invalidScope, client: r.GetClient().GetID(),
				say: "a refresh may ask for less than was granted, not for more",
			}
		}
	}
	if len(scopesOf(r)) == 0 {
		return refuse(invalidGrant, "the person may not have any of this any more", nil)
	}
	return nil
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (g *personGrant) PopulateTokenEndpointResponse(
	ctx context.Context, r fosite.AccessRequester, response fosite.AccessResponder,
) error {
	if !g.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	session, ok := r.GetSession().(*grant.Session)
	if !ok {
		return refuse(serverError, "the request could not be answered", nil)
	}
	for name, value := range session.Context {
		if !slices.Contains(reservedMembers(), name) {
			response.SetExtra(name, value)
		}
	}
	// An id_token says that somebody has signed in. A refresh is no sign of that.
	if r.GetGrantTypes().ExactOne(authorizationCode) && slices.Contains(scopesOf(r), "openid") {
		token, err := g.server.idToken(r.GetClient().GetID(), session, scopesOf(r),
			response.GetAccessToken())
		if err != nil {
			return err
		}
		response.SetExtra("id_token", token)
	}
	return nil
}

// reservedMembers are the members of a token response that no launch context may bring.
func reservedMembers() []string {
	return []string{
		"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token", "error",
	}
}

// scopesOf is what a token of this request is for: what was granted, of that what the person's
// roles still give, and of that what a refresh asks for. The grant itself stays as it was, so
// that a later refresh may ask for all of it again (RFC 6749 section 6).
func scopesOf(r fosite.Requester) []string {
	texts := r.GetGrantedScopes()
	session, ok := r.GetSession().(*grant.Session)
	if !ok || session.Subject == "" {
		return texts
	}
	granted, err := scope.ParseSet(strings.Join(texts, " "))
	if err != nil {
		return nil
	}
	roles := make([]role.Role, 0, len(session.Roles))
	for _, name := range session.Roles {
		if known, err := role.Parse(name); err == nil {
			roles = append(roles, known)
		}
	}
	granted = scope.Narrow(granted, role.Scopes(roles...))
	access, ok := r.(fosite.AccessRequester)
	if !ok || !access.GetGrantTypes().ExactOne(refreshToken) || r.GetRequestForm().Get("scope") == "" {
		return granted.Strings()
	}
	asked, err := scope.ParseSet(r.GetRequestForm().Get("scope"))
	if err != nil {
		return nil
	}
	return scope.Narrow(asked, granted).Strings()
}
