package auth

import (
	"slices"
	"strings"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/auth/scope"
)

// newProvider sets fosite up. Handlers are listed by hand: what is not here does not exist. The
// order matters: clientGrant narrows the scopes before fosite's handler checks them, the challenge
// joins a code that is there, and personGrant sees what fosite has found.
func (s *Server) newProvider() *fosite.Fosite {
	config := &fosite.Config{
		AccessTokenLifespan:            s.cfg.TokenLifetime,
		RefreshTokenLifespan:           s.cfg.RefreshLife,
		AuthorizeCodeLifespan:          codeLife,
		AccessTokenIssuer:              s.cfg.Issuer,
		TokenURL:                       s.cfg.TokenURL,
		ScopeStrategy:                  coveredBy,
		AudienceMatchingStrategy:       fosite.ExactAudienceMatchingStrategy,
		ClientAuthenticationStrategy:   s.authenticate,
		RedirectSecureChecker:          fosite.IsRedirectURISecureStrict,
		RefreshTokenScopes:             []string{offlineAccess, onlineAccess},
		MinParameterEntropy:            minState,
		OmitRedirectScopeParam:         true,
		SendDebugMessagesToClients:     false,
		EnforcePKCE:                    true,
		EnforcePKCEForPublicClients:    true,
		EnablePKCEPlainChallengeMethod: false,
	}
	access, tokens := &minter{cfg: s.cfg}, s.grants.Tokens()
	config.TokenEndpointHandlers.Append(&clientGrant{audience: s.cfg.Audience})
	config.TokenEndpointHandlers.Append(&oauth2.ClientCredentialsGrantHandler{
		HandleHelper: &oauth2.HandleHelper{
			AccessTokenStrategy: access, AccessTokenStorage: s.grants, Config: config,
		},
		Config: config,
	})
	if !s.interactive() {
		return fosite.NewOAuth2Provider(s.clients, config)
	}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: access, RefreshTokenStrategy: tokens, AuthorizeCodeStrategy: tokens,
		CoreStorage: s.grants, TokenRevocationStorage: s.grants, Config: config,
	}
	challenge := &pkce.Handler{AuthorizeCodeStrategy: tokens, Storage: s.grants, Config: config}
	config.AuthorizeEndpointHandlers.Append(code)
	config.AuthorizeEndpointHandlers.Append(challenge)
	config.TokenEndpointHandlers.Append(code)
	config.TokenEndpointHandlers.Append(challenge)
	config.TokenEndpointHandlers.Append(&oauth2.RefreshTokenGrantHandler{
		AccessTokenStrategy: access, RefreshTokenStrategy: tokens,
		TokenRevocationStorage: s.grants, Config: config,
	})
	config.TokenEndpointHandlers.Append(&personGrant{server: s})
	return fosite.NewOAuth2Provider(s.clients, config)
}

// coveredBy is fosite's question whether the scopes of a client allow one that is asked.
func coveredBy(have []string, need string) bool {
	set, err := scope.ParseSet(strings.Join(have, " "))
	if err != nil {
		return false
	}
	n, err := scope.Parse(need)
	return err == nil && set.Covers(n)
}

// newSession is an empty session, as fosite wants one for every request.
func (*Server) newSession() *grant.Session { return &grant.Session{} }

// session is what is remembered of a person's consent.
func (s *Server) session(q *question, p Person) *grant.Session {
	roles := make([]string, len(p.Roles))
	for i, r := range p.Roles {
		roles[i] = string(r)
	}
	life := s.cfg.OnlineLife
	if slices.Contains(q.ar.GetGrantedScopes(), offlineAccess) {
		life = s.cfg.OfflineLife
	}
	return &grant.Session{
		Subject: p.pseudonym(), Issuer: p.Issuer, Name: p.Name, FHIRUser: p.FHIRUser, Roles: roles,
		AuthTime: p.SignedIn, Nonce: q.nonce, Resource: s.cfg.Audience, FamilyLife: life,
		Context: p.Context,
	}
}
