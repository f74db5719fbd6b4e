// syncmap.go - syncmap.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import "sync"

const (
	who  = 4
	keys = 1000
)

var squares sync.Map

func use(n int, x uint64, wg *sync.WaitGroup) {
	for i := 0; i < n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
		key := int64(x>>33) % keys
		if x>>58 == 0 {
			squares.Store(key, key*key)
		} else if value, ok := squares.Load(key); ok && value.(int64) != key*key {
			panic("wrong value")
		}
	}
	wg.Done()
}

func main() {
	for i := int64(0); i < keys; i++ {
		squares.Store(i, i*i)
	}
	bench(10000000, func(n int) {
		var wg sync.WaitGroup
		wg.Add(who)
		for i := 0; i < who; i++ {
			go use(n/who, uint64(i), &wg)
		}
		wg.Wait()
	})
}
