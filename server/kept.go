package server

import (
	"bytes"
	"container/list"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// written is a resource as it goes out: plain, and compressed where that pays.
type written struct {
	text   []byte
	zipped []byte
}

// worthZipping is the length from which an answer is compressed; below it does not fit into fewer
// packets.
const worthZipping = 1024

// write marshals a resource once and for all.
func write(resource proto.Message) (written, error) {
	text, err := r4.Marshal(resource)
	if err != nil {
		return written{}, err
	}
	return zip(append(text, '\n'))
}

// zip compresses a text that is worth it.
func zip(text []byte) (written, error) {
	have := written{text: text}
	if len(text) < worthZipping {
		return have, nil
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil {
		return written{}, fmt.Errorf("compress an answer: %w", err)
	}
	if err := w.Close(); err != nil {
		return written{}, fmt.Errorf("compress an answer: %w", err)
	}
	have.zipped = bytes.Clone(out.Bytes())
	return have, nil
}

func (w written) size() int { return len(w.text) + len(w.zipped) }

// keeper keeps the answers that were asked for last, up to a number of bytes. Whoever asks a kept
// question again is answered without evaluating, marshalling or compressing. It is safe for
// concurrent use.
type keeper struct {
	limit int

	mu    sync.Mutex
	bytes int
	// order holds *keptAnswer, the one asked for last first.
	order *list.List
	byTag map[string]*list.Element
}

type keptAnswer struct {
	tag  string
	have written
}

func newKeeper(limit int) *keeper {
	return &keeper{limit: limit, order: list.New(), byTag: map[string]*list.Element{}}
}

func (k *keeper) get(tag string) (written, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	element, ok := k.byTag[tag]
	if !ok {
		return written{}, false
	}
	k.order.MoveToFront(element)
	return element.Value.(*keptAnswer).have, true
}

// add keeps an answer and forgets the oldest ones that it has no room beside. One that would fill a
// quarter of the room alone is not kept.
func (k *keeper) add(tag string, have written) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.byTag[tag]; ok || have.size() > k.limit/4 {
		return
	}
	k.byTag[tag] = k.order.PushFront(&keptAnswer{tag: tag, have: have})
	k.bytes += have.size()
	for k.bytes > k.limit {
		oldest := k.order.Remove(k.order.Back()).(*keptAnswer)
		delete(k.byTag, oldest.tag)
		k.bytes -= oldest.have.size()
	}
}

// forget drops everything: something changed that no tag knows of.
func (k *keeper) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.order.Init()
	clear(k.byTag)
	k.bytes = 0
}
