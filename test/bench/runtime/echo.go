// echo.go - an echo server on TCP with 10,000 idle connections, and 64 clients that ask it: one request of 64 bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
package main

import (
	"io"
	"log"
	"net"
	"sync"
	"syscall"
)

const (
	idle    = 10000
	clients = 64
	size    = 64
)

func echo(c net.Conn) {
	text := make([]byte, size)
	for {
		n, err := c.Read(text)
		if err != nil {
			break
		}
		if _, err = c.Write(text[:n]); err != nil {
			break
		}
	}
	c.Close()
}

func main() {
	var most syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &most)
	most.Cur = most.Max
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &most)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go echo(c)
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		return c
	}
	var kept []net.Conn
	for i := 0; i < idle && i < (int(most.Cur)-1000)/2; i++ {
		kept = append(kept, dial())
	}
	var asking [clients]net.Conn
	for i := range asking {
		asking[i] = dial()
	}
	bench(100000, func(n int) {
		var asked sync.WaitGroup
		for i := range asking {
			requests := n / clients
			if i < n%clients {
				requests++
			}
			asked.Add(1)
			go func(c net.Conn) {
				text, back := make([]byte, size), make([]byte, size)
				for ; requests > 0; requests-- {
					if _, err := c.Write(text); err != nil {
						log.Fatal(err)
					}
					if _, err := io.ReadFull(c, back); err != nil {
						log.Fatal(err)
					}
				}
				asked.Done()
			}(asking[i])
		}
		asked.Wait()
	})
	for _, c := range kept {
		c.Close()
	}
}
