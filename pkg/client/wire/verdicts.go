// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// oldestBatches is the oldest version of the request that takes record batches, which Kafka 0.11 brought.
	oldestBatches = 3
	// newestByName is the newest version that names topics.
	newestByName = 12
)

// produceRequest is a request that says when it is about to be written.
type produceRequest struct {
	*kmsg.ProduceRequest
	batches []*dispatch.Batch
}

// MaxVersion implements kmsg.Request.
func (r *produceRequest) MaxVersion() int16 {
	if r.Topics[0].TopicID == [16]byte{} {
		return newestByName
	}
	return r.ProduceRequest.MaxVersion()
}

// AppendTo implements kmsg.Request: franz-go calls it just before it writes, maybe after nobody waits any more. A
// request that must not leave becomes one that no broker understands, so that it hangs up.
func (r *produceRequest) AppendTo(dst []byte) []byte {
	if r.Version < oldestBatches {
		return dst
	}
	leaving := r.leaving()
	if leaving == nil {
		return dst
	}
	return leaving.AppendTo(dst)
}

// leaving is the request with those of its batches that may leave, which have begun then; nil without any.
func (r *produceRequest) leaving() *kmsg.ProduceRequest {
	leaving := *r.ProduceRequest
	leaving.Topics = slices.Clone(r.Topics)
	leaving.Topics[0].Partitions = make([]kmsg.ProduceRequestTopicPartition, 0, len(r.batches))
	for i, batch := range r.batches {
		if batch.Begin() {
			leaving.Topics[0].Partitions = append(leaving.Topics[0].Partitions, r.Topics[0].Partitions[i])
		}
	}
	if len(leaving.Topics[0].Partitions) == 0 {
		return nil
	}
	return &leaving
}

// judge reads the answer to a request, and says whether no batch of it will be sent as it is again.
func (w *Writer) judge(batches []*dispatch.Batch, answer *kmsg.ProduceResponse) (done bool) {
	answers := make(map[string]*kmsg.ProduceResponseTopicPartition, len(batches))
	for i := range answer.Topics { // there is one
		for j := range answer.Topics[i].Partitions {
			one := &answer.Topics[i].Partitions[j]
			answers[strconv.Itoa(int(one.Partition))] = one
		}
	}
	done = true
	for _, batch := range batches {
		one := answers[batch.Partition]
		if one == nil {
			w.unanswered([]*dispatch.Batch{batch}, errNoAnswer)
		} else {
			w.judgeOne(batch, one)
		}
		done = done && batch.Final()
	}
	return done
}

func (w *Writer) judgeOne(batch *dispatch.Batch, answer *kmsg.ProduceResponseTopicPartition) {
	sequenced := w.sequences.has(batch.Partition)
	code := kerr.ErrorForCode(answer.ErrorCode)
	switch {
	case code == nil:
		w.sequences.advance(batch.Partition, len(batch.Items))
		batch.Accept(answer.BaseOffset, answer.LogAppendTime)
	case isAny(code, kerr.DuplicateSequenceNumber) && batch.Unheard:
		w.sequences.advance(batch.Partition, len(batch.Items)) // it is there, and the broker forgot where
		batch.Accept(-1, -1)
	case outOfSequence(code):
		w.sequences.forget(batch.Partition)
		if batch.Unheard { // the broker may have forgotten what it has
			batch.Judge(dispatch.Lost, code)
			return
		}
		batch.Judge(dispatch.Retry, code)
	case isAny(code, kerr.ClusterAuthorizationFailed) && sequenced:
		w.sequences.forget(batch.Partition)
		w.sequences.plain.Store(true)
		if batch.Unheard {
			batch.Judge(dispatch.Lost, code)
			return
		}
		batch.Judge(dispatch.Retry, code)
	default:
		batch.Judge(verdictOf(code, sequenced, answer.BaseOffset >= 0), reasonOf(code, answer.ErrorMessage))
	}
}

// verdictOf is what an error of a broker says of the attempt. appended says that the answer has an offset: the broker
// wrote the batch to its own log, and ceased to be the leader while it waited for replicas. Then it tells the same
// error as one that never was the leader, and the next leader may have the batch or not.
func verdictOf(code error, sequenced, appended bool) dispatch.Verdict {
	switch {
	case refusesContent(code):
		return dispatch.Unfit
	case isAny(code, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed):
		return dispatch.Denied
	case refusesForNow(code) && !appended:
		return dispatch.Retry
	case sequenced:
		return dispatch.Unheard
	}
	return dispatch.Lost
}

// reasonOf puts a broker's error into the words of package kafka, with what else the broker said.
func reasonOf(code error, said *string) error {
	err := code
	if said != nil && *said != "" {
		err = fmt.Errorf("%w: %s", code, *said)
	}
	switch {
	case isAny(code, kerr.MessageTooLarge, kerr.RecordListTooLarge):
		return fmt.Errorf("%w: %w", kafka.ErrTooLarge, err)
	case refusesContent(code):
		return fmt.Errorf("%w: %w", kafka.ErrUnfit, err)
	case isAny(code, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed):
		return fmt.Errorf("%w: %w", kafka.ErrDenied, err)
	}
	return err
}

// outOfSequence reports errors by which a broker refuses a number: it did not write the batch that has it. It lost what
// came before, or has forgotten the producer.
func outOfSequence(code error) bool {
	return isAny(code, kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.InvalidProducerEpoch,
		kerr.InvalidProducerIDMapping, kerr.ProducerFenced, kerr.DuplicateSequenceNumber)
}

// refusesForNow reports errors that a broker gives before it writes, and that pass.
func refusesForNow(code error) bool {
	return isAny(code, kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.UnknownTopicOrPartition,
		kerr.UnknownTopicID, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.ReplicaNotAvailable,
		kerr.NotEnoughReplicas, kerr.ThrottlingQuotaExceeded)
}

func isAny(err error, codes ...*kerr.Error) bool {
	return slices.ContainsFunc(codes, func(code *kerr.Error) bool { return errors.Is(err, code) })
}

// isDial says that there was no connection to write to.
func isDial(err error) bool {
	network, ok := errors.AsType[*net.OpError](err)
	return ok && network.Op == dialing
}
