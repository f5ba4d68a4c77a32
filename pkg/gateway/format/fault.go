// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/samsa-dev/samsa/pkg/gateway/strictjson"
)

// Fault is what is wrong with a request.
type Fault struct {
	// Status is the HTTP status that says so.
	Status int
	// Detail says what is wrong, where, and what to do.
	Detail string
}

// Error implements error.
func (f *Fault) Error() string { return f.Detail }

func malformed(format string, values ...any) error {
	return &Fault{Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, values...)}
}

func unfit(format string, values ...any) error {
	return &Fault{Status: http.StatusUnprocessableEntity, Detail: fmt.Sprintf(format, values...)}
}

func excess(format string, values ...any) error {
	return &Fault{Status: http.StatusRequestHeaderFieldsTooLarge, Detail: fmt.Sprintf(format, values...)}
}

// inJSON makes a Fault of what the scanner says.
func inJSON(where string, err error) error {
	if err == nil {
		return nil
	}
	if _, isFault := errors.AsType[*Fault](err); isFault {
		return err
	}
	if problem, ok := errors.AsType[*strictjson.Error](err); ok && !problem.Malformed {
		return unfit("%s: %v", where, err)
	}
	return malformed("%s: %v", where, err)
}

// Malformed is the Fault of what is not well-formed.
func Malformed(detail string) error { return &Fault{Status: http.StatusBadRequest, Detail: detail} }

// Unfit is the Fault of what is well-formed and makes no message.
func Unfit(detail string) error {
	return &Fault{Status: http.StatusUnprocessableEntity, Detail: detail}
}
