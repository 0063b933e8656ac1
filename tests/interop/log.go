// log - the access log in the hands of Go's checksum database library, golang.org/x/mod, which
// shares nothing with the vault.
//
//	log note KEY WITNESS... <CHECKPOINT     every key signed it
//	log proofs DIR <LINES                   each line's proof is the one that the library makes:
//	                                        inclusion SIZE INDEX HASH... | consistency OLD NEW HASH...
//	log publish DIR OUT NAME TIME           make a log of the same entries, with a new key, and have
//	                                        a new witness cosign it; print both verifier keys
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func number(text string) int64 {
	return must(strconv.ParseInt(text, 10, 64))
}

// A witness's key, of kind 0x04 (C2SP tlog-cosignature), which the library does not know.
type witness struct {
	name    string
	id      uint32
	public  ed25519.PublicKey
	private ed25519.PrivateKey
	time    uint64
}

func witnessOf(name string, public ed25519.PublicKey) *witness {
	hash := sha256.Sum256(append([]byte(name+"\n\x04"), public...))
	return &witness{name: name, id: binary.BigEndian.Uint32(hash[:]), public: public}
}

func parseWitness(vkey string) *witness {
	parts := strings.SplitN(vkey, "+", 3)
	raw := must(base64.StdEncoding.DecodeString(parts[2]))
	w := witnessOf(parts[0], raw[1:])
	if raw[0] != 4 || fmt.Sprintf("%08x", w.id) != parts[1] {
		log.Fatal("not the key of a witness: ", vkey)
	}
	return w
}

func cosigned(time uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.id }
func (w *witness) Verify(text, signature []byte) bool {
	return len(signature) == 72 &&
		ed25519.Verify(w.public, cosigned(binary.BigEndian.Uint64(signature), text), signature[8:])
}
func (w *witness) Sign(text []byte) ([]byte, error) {
	signature := binary.BigEndian.AppendUint64(nil, w.time)
	return append(signature, ed25519.Sign(w.private, cosigned(w.time, text))...), nil
}
func (w *witness) String() string {
	return fmt.Sprintf("%s+%08x+%s", w.name, w.id,
		base64.StdEncoding.EncodeToString(append([]byte{4}, w.public...)))
}

func checkNote(keys []string) error {
	verifiers := []note.Verifier{must(note.NewVerifier(keys[0]))}
	for _, key := range keys[1:] {
		verifiers = append(verifiers, parseWitness(key))
	}
	signed, err := note.Open(must(io.ReadAll(os.Stdin)), note.VerifierList(verifiers...))
	if err == nil && len(signed.Sigs) != len(keys) {
		err = errors.New("not everyone signed it")
	}
	return err
}

// The entries and all hashes of a published log.
type tree struct {
	size    int64
	entries [][]byte
	hashes  []tlog.Hash
}

func (t *tree) ReadHashes(indexes []int64) (out []tlog.Hash, err error) {
	for _, index := range indexes {
		out = append(out, t.hashes[index])
	}
	return
}

// Tiles of a level with so many hashes; of the bundles of so many entries at level -1.
func tiles(level int, count int64) (all []tlog.Tile) {
	for n := int64(0); n*256 < count; n++ {
		tile := tlog.Tile{H: 8, L: level, N: n, W: 256}
		if count-n*256 < 256 {
			tile.W = int(count - n*256)
		}
		all = append(all, tile)
	}
	return
}

func path(dir string, tile tlog.Tile) string {
	name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return filepath.Join(dir, strings.Replace(name, "/data/", "/entries/", 1))
}

func read(dir string) *tree {
	text := string(must(os.ReadFile(filepath.Join(dir, "checkpoint"))))
	t := &tree{size: number(strings.Split(text, "\n")[1])}
	for _, tile := range tiles(-1, t.size) {
		bundle := must(os.ReadFile(path(dir, tile)))
		for len(bundle) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2:end]
			index := int64(len(t.entries))
			t.entries = append(t.entries, entry)
			t.hashes = append(t.hashes, must(tlog.StoredHashes(index, entry, t))...)
			bundle = bundle[end:]
		}
	}
	if int64(len(t.entries)) != t.size {
		log.Fatal("not as many entries as the checkpoint says")
	}
	return t
}

func same(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (t *tree) checkLine(words []string) error {
	var proof []tlog.Hash
	for _, word := range words[3:] {
		proof = append(proof, must(tlog.ParseHash(word)))
	}
	first, second := number(words[1]), number(words[2])
	if words[0] == "inclusion" {
		root, leaf := must(tlog.TreeHash(first, t)), tlog.RecordHash(t.entries[second])
		if !same(proof, must(tlog.ProveRecord(first, second, t))) {
			return errors.New("another proof than the library's")
		}
		return tlog.CheckRecord(proof, first, root, second, leaf)
	}
	before, after := must(tlog.TreeHash(first, t)), must(tlog.TreeHash(second, t))
	if !same(proof, must(tlog.ProveTree(second, first, t))) {
		return errors.New("another proof than the library's")
	}
	return tlog.CheckTree(proof, second, after, first, before)
}

func checkProofs(dir string) error {
	t, count := read(dir), 0
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := t.checkLine(strings.Fields(lines.Text())); err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
		count++
	}
	fmt.Println(count)
	return lines.Err()
}

func write(name string, content []byte) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		log.Fatal(err)
	}
}

func publish(dir, out, name string, time int64) error {
	t := read(dir)
	private, key, err := note.GenerateKey(nil, name)
	if err != nil {
		return err
	}
	public, witnessPrivate, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	w := witnessOf("witness.example/go", public)
	w.private, w.time = witnessPrivate, uint64(time)
	text := fmt.Sprintf("%s\n%d\n%v\n", name, t.size, must(tlog.TreeHash(t.size, t)))
	signer := must(note.NewSigner(private))
	write(filepath.Join(out, "checkpoint"), must(note.Sign(&note.Note{Text: text}, signer, w)))
	for _, tile := range tiles(-1, t.size) {
		var bundle []byte
		for _, entry := range t.entries[tile.N*256 : tile.N*256+int64(tile.W)] {
			bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
		}
		write(path(out, tile), bundle)
	}
	for level := 0; t.size>>(8*level) > 0; level++ {
		for _, tile := range tiles(level, t.size>>(8*level)) {
			write(path(out, tile), must(tlog.ReadTileData(tile, t)))
		}
	}
	fmt.Println(key)
	fmt.Println(w)
	return nil
}

func main() {
	log.SetFlags(0)
	var err error
	switch arguments := os.Args[2:]; os.Args[1] {
	case "note":
		err = checkNote(arguments)
	case "proofs":
		err = checkProofs(arguments[0])
	case "publish":
		err = publish(arguments[0], arguments[1], arguments[2], number(arguments[3]))
	default:
		err = errors.New("note, proofs or publish")
	}
	if err != nil {
		log.Fatal(err)
	}
}
