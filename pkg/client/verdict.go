// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
)

// answerFor is what the outcome of a request to a group's coordinator means to the member: err is that there was no
// answer, code what the answer says.
func answerFor(err error, code int16) coordinator.Answer {
	if err == nil {
		err = kerr.ErrorForCode(code)
	}
	if err == nil {
		return coordinator.Answer{}
	}
	return coordinator.Answer{Verdict: verdictOn(err), Err: explained(err)}
}

func verdictOn(err error) coordinator.Verdict {
	for verdict, causes := range map[coordinator.Verdict][]error{
		coordinator.Rebalancing: {kerr.RebalanceInProgress},
		coordinator.Outdated:    {kerr.IllegalGeneration},
		coordinator.Expelled:    {kerr.UnknownMemberID, kerr.FencedInstanceID},
		coordinator.Named:       {kerr.MemberIDRequired},
		coordinator.Refused: {
			kerr.InconsistentGroupProtocol, kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed,
			kerr.InvalidSessionTimeout, kerr.GroupMaxSizeReached, kerr.InvalidGroupID, ErrNoCoordinator,
		},
	} {
		for _, cause := range causes {
			if errors.Is(err, cause) {
				return verdict
			}
		}
	}
	return coordinator.Unavailable
}

// explained adds to what a coordinator refuses what is to be done about it.
func explained(err error) error {
	for cause, advice := range map[error]string{
		kerr.InconsistentGroupProtocol: "the group's members share out partitions by none of cooperative-sticky, range," +
			" roundrobin and sticky, or are no consumers: end them, or take another group",
		kerr.GroupAuthorizationFailed: "allow the user Read on the group",
		kerr.TopicAuthorizationFailed: "allow the user Read on the topics",
		kerr.InvalidSessionTimeout: "the session timeout is not between the brokers' group.min.session.timeout.ms and" +
			" group.max.session.timeout.ms (6 s and 30 min unless configured otherwise)",
		kerr.GroupMaxSizeReached: "the brokers' group.max.size is reached: raise it, or run fewer members",
	} {
		if errors.Is(err, cause) {
			return fmt.Errorf("%w: %s", err, advice)
		}
	}
	return err
}
