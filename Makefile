# SPDX-License-Identifier: Apache-2.0
# Everything from a bare Debian machine with Swift: `make demo`, then `make test`.

SWIFT ?= swift
BUILD := .build/release
FORMWORK := $(BUILD)/formwork
MODEL ?= smollm2
SHARED ?= $(or $(FORMWORK_SHARED),../shared)
PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
THREADS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)

.PHONY: help demo test test-service test-library build bench bench-instructions setup model clean format install completions manual

help:
	@echo "make demo    set up, build, fetch a small model, run sample transformations"
	@echo "make test    set up, build, run all tests"
	@echo "make build   set up and build .build/release/formwork"
	@echo "make install put the program, shell completions and manual pages below PREFIX (/usr/local)"
	@echo "make bench-instructions   instruction counts of the inner loops (needs valgrind)"
	@echo "make bench   speed and conformance figures (needs the data in $(SHARED))"

setup:
	@sh .ci/setup

# Without FORMWORK_TARGETS, swift-syntax would be built too, which only the Swift library needs.
build: setup
	FORMWORK_TARGETS=service $(SWIFT) build -c release --product formwork

model: build
	@$(FORMWORK) models pull $(MODEL)

demo: model
	@FORMWORK=$(FORMWORK) MODEL=$(MODEL) THREADS=$(THREADS) sh Samples/demo.sh

# Both at once: much of a build with optimisation keeps one core busy only.
test: setup
	@$(MAKE) --no-print-directory -j2 test-service test-library

test-service:
	FORMWORK_TARGETS=service $(SWIFT) build -c release --build-tests
	FORMWORK_TARGETS=service $(SWIFT) test -c release --skip-build

# C without optimisation would make the model twenty times slower.
test-library:
	FORMWORK_TARGETS=library $(SWIFT) test --scratch-path .build-library -Xcc -O2

bench: model
	@FORMWORK=$(FORMWORK) MODEL=$(MODEL) SHARED=$(SHARED) sh .ci/bench

bench-instructions: setup
	FORMWORK_TARGETS=service $(SWIFT) build -c release --product formwork-loops
	@LOOPS=$(BUILD)/formwork-loops sh .ci/bench-instructions

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(FORMWORK) $(DESTDIR)$(PREFIX)/bin/formwork
	@$(MAKE) --no-print-directory completions manual

# Both take the program that is built already.
completions:
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	$(FORMWORK) completions bash > $(SHARE)/bash-completion/completions/formwork
	$(FORMWORK) completions zsh > $(SHARE)/zsh/site-functions/_formwork
	$(FORMWORK) completions fish > $(SHARE)/fish/vendor_completions.d/formwork.fish

manual:
	$(FORMWORK) manual --folder $(SHARE)/man/man1

format:
	$(SWIFT) format --in-place --recursive Sources Tests Package.swift

clean:
	rm -rf .build .build-library
