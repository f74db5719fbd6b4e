// map.go - map.c in Go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

const keys = 1000

var squares = map[int64]int64{}

func main() {
	for i := int64(0); i < keys; i++ {
		squares[i] = i * i
	}
	bench(10000000, func(n int) {
		x := uint64(1)
		for i := 0; i < n; i++ {
			x = x*6364136223846793005 + 1442695040888963407
			key := int64(x>>33) % keys
			if x>>58 == 0 {
				squares[key] = key * key
			} else if value, ok := squares[key]; ok && value != key*key {
				panic("wrong value")
			}
		}
	})
}
