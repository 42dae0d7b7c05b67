# Everything on a fresh machine with Python >= 3.11: make demo, make test.
# The first Python that is new enough; a name alone proves nothing (pyenv has shims for what is not chosen).
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV   := .venv
BIN    := $(VENV)/bin
SONG   ?= demo/song.mp3
OUT    ?= demo-output
DATA   ?= ../shared/data
# Processes that the tests are shared out to, file by file, for two cores: most tests wait for programs to start, to stop
# or to be killed. 0 runs them in one process, as a debugger wants it.
JOBS   ?= 3
SOUNDFONTS := fluidsynth fluid-soundfont-gm musescore-general-soundfont
APT    := test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y
LOCK   := --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
          --no-emit-find-links --no-emit-trusted-host

.PHONY: help demo serve unit test coverage check format lock bench-engines bench-callbacks bench-receiver bench-console bench-abuse audit fuzz eval-separation eval-midi bench-midi bench-video eval-drums train-drums train-transcription gallery song clean eval-stems train-separation

help:           ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / - /'

# One environment for all targets; made again when the locked requirements change.
$(VENV)/.ready: requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/.ready    ## the whole line on a real song: upload, stems, MIDI, video, callbacks (SONG=file, OUT=folder)
	$(BIN)/antiphon demo "$(SONG)" --out "$(OUT)"
	@test "$(SONG)" != demo/song.mp3 || $(BIN)/python demo/compare.py "$(OUT)/midi.json"

serve: $(VENV)/.ready   ## API, worker and sender on http://127.0.0.1:8080
	$(BIN)/antiphon serve

# A public client of the hosted API has an environment of its own, for the test that runs it against our server.
$(VENV)/suno-easy/.ready: requirements/suno-easy.txt $(VENV)/.ready
	$(BIN)/python -m venv $(VENV)/suno-easy
	$(VENV)/suno-easy/bin/python -m pip install --quiet --require-hashes -r requirements/suno-easy.txt
	@touch $@

# PHP and Node.js are for the tests of two examples, FFmpeg for those of the video's file, Chromium (and fonts for its
# pictures) for those of the console and of videos in a browser. What cannot be had is named by the tests that skip.
.PHONY: test-programs
test-programs: $(VENV)/.ready $(VENV)/suno-easy/.ready
	$(BIN)/antiphon models fetch
	@command -v php >/dev/null || { $(APT) php-cli php-sqlite3 >/dev/null; } || true
	@command -v npm >/dev/null || { $(APT) nodejs npm >/dev/null; } || true
	@command -v ffmpeg >/dev/null || { $(APT) ffmpeg >/dev/null; } || true
	@command -v chromium >/dev/null || { $(APT) chromium fonts-inter fonts-noto-cjk fonts-texgyre >/dev/null; } || true
	@! command -v npm >/dev/null || npm ci --silent --prefix examples/receivers/express

PYTEST := -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test: test-programs     ## all tests
	$(BIN)/python $(PYTEST) $(ARGS)

unit: $(VENV)/.ready    ## the quick tests: no apt, no download, no weights
	$(BIN)/python $(PYTEST) tests/unit -m "not slow and not model" $(ARGS)

coverage: test-programs ## all tests, and the share of lines and branches that they run; takes longer than make test
	rm -rf .cache/coverage
	$(BIN)/coverage run $(PYTEST) $(ARGS); status=$$?; \
	  $(BIN)/coverage combine --quiet && $(BIN)/coverage report && exit $$status

check: $(VENV)/.ready   ## ruff, mypy --strict, the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/unit/test_imports.py

format: $(VENV)/.ready  ## let ruff put things in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# schemathesis has an environment of its own.
$(VENV)/fuzz/.ready: requirements/fuzz.txt $(VENV)/.ready
	$(BIN)/python -m venv $(VENV)/fuzz
	$(VENV)/fuzz/bin/python -m pip install --quiet --require-hashes -r requirements/fuzz.txt
	@touch $@

fuzz: $(VENV)/fuzz/.ready       ## damaged audio files through the inspection, and calls that OpenAPI allows (NUMBER=10000 START=0 EXAMPLES=50)
	$(BIN)/python -m tests.fuzz.audio $(or $(NUMBER),10000) --start $(or $(START),0)
	$(BIN)/python -m tests.fuzz.api $(VENV)/fuzz/bin/schemathesis --examples $(or $(EXAMPLES),50)

bench-engines: $(VENV)/.ready   ## real-time factors and memory of separation, MIDI and video
	$(BIN)/python -m bench.engines

# The contenders have an environment of their own; Redis is Debian's.
$(VENV)/bench/.ready: requirements/bench.txt $(VENV)/.ready
	$(BIN)/python -m venv $(VENV)/bench
	$(VENV)/bench/bin/python -m pip install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

bench-callbacks: $(VENV)/bench/.ready   ## callbacks a second, beside Celery, Procrastinate and a raw loop (ROUNDS=3)
	@command -v redis-server >/dev/null || { test "$$(id -u)" = 0 && apt-get install -qq -y redis-server >/dev/null; } \
	  || { echo "redis-server is missing: on Debian, apt-get install redis-server"; exit 1; }
	$(BIN)/python -m bench.callbacks $(if $(ROUNDS),--rounds $(ROUNDS))

bench-receiver: $(VENV)/.ready  ## acknowledgements a second, also while a large file is downloaded; size and import time
	$(BIN)/python -m bench.receiving

bench-console: $(VENV)/.ready   ## first paint of the console, and frames of its piano roll with 20,000 notes
	$(BIN)/python -m bench.console

bench-abuse: $(VENV)/.ready     ## what others notice while somebody abuses the server: memory, waits, forged callbacks
	$(BIN)/python -m bench.abuse

# pip-audit has an environment of its own; it asks for known faults over the network.
$(VENV)/audit/.ready: requirements/audit.txt $(VENV)/.ready
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --require-hashes -r requirements/audit.txt
	@touch $@

audit: $(VENV)/audit/.ready     ## known faults in the locked dependencies; needs a network, and says so
	$(BIN)/python tools/audit.py $(VENV)/audit/bin/pip-audit requirements/base.txt requirements/dev.txt

eval-separation: $(VENV)/.ready ## SDR of the stems on real songs (DATA=folder)
	$(BIN)/python -m bench.eval_separation "$(DATA)"

eval-stems: $(VENV)/.ready      ## SDR, false and missed stems, speed of the separation, beside plain filters (DATA=folder)
	@dpkg -s $(SOUNDFONTS) >/dev/null 2>&1 || { $(APT) $(SOUNDFONTS) >/dev/null; } || true
	$(BIN)/python -m bench.eval_stems "$(DATA)"

# basic-pitch has an environment of its own; without its dependencies, which name TensorFlow.
$(VENV)/bench-midi/.ready: requirements/bench-midi.txt requirements/basic-pitch.txt $(VENV)/.ready
	$(BIN)/python -m venv $(VENV)/bench-midi
	$(VENV)/bench-midi/bin/python -m pip install --quiet --require-hashes -r requirements/bench-midi.txt
	$(VENV)/bench-midi/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/basic-pitch.txt
	@touch $@

# seewav has an environment of its own, and needs Cairo to be built; FFmpeg's programs are Debian's.
$(VENV)/bench-video/.ready: requirements/bench-video.txt $(VENV)/.ready
	@command -v ffmpeg >/dev/null || { $(APT) ffmpeg >/dev/null; } \
	  || { echo "ffmpeg is missing: on Debian, apt-get install ffmpeg"; exit 1; }
	@pkg-config --exists cairo 2>/dev/null || { $(APT) gcc pkg-config libcairo2-dev >/dev/null; } \
	  || { echo "Cairo is missing: on Debian, apt-get install gcc pkg-config libcairo2-dev"; exit 1; }
	$(BIN)/python -m venv $(VENV)/bench-video
	$(VENV)/bench-video/bin/python -m pip install --quiet --require-hashes -r requirements/bench-video.txt
	@touch $@

bench-video: $(VENV)/bench-video/.ready ## a music video's cost, beside the bare encoder, FFmpeg and seewav (SONG=file ROUNDS=3)
	$(BIN)/python -m bench.video --song "$(SONG)" $(if $(ROUNDS),--rounds $(ROUNDS))

# ADTLib is compared where there is a Python 3.7, the last one for which there is a TensorFlow 1.
PYTHON37 ?= $(shell for python in python3.7 $(HOME)/.pyenv/versions/3.7.*/bin/python3.7; do \
    $$python -c '' 2>/dev/null && { echo $$python; break; }; done)

$(VENV)/bench-adtlib/.ready: requirements/adtlib-base.txt requirements/adtlib.txt
	$(PYTHON37) -m venv $(VENV)/bench-adtlib
	$(VENV)/bench-adtlib/bin/python -m pip install --quiet --require-hashes -r requirements/adtlib-base.txt
	$(VENV)/bench-adtlib/bin/python -m pip install --quiet --require-hashes --no-deps --no-build-isolation \
	  -r requirements/adtlib.txt
	@touch $@

eval-midi: $(VENV)/bench-midi/.ready    ## drums, vocals, beats and whole pieces written down, beside basic-pitch (DATA=folder)
	@dpkg -s $(SOUNDFONTS) >/dev/null 2>&1 || { $(APT) $(SOUNDFONTS) >/dev/null; } || true
	@test -z "$(PYTHON37)" || $(MAKE) --no-print-directory $(VENV)/bench-adtlib/.ready \
	  || { rm -rf $(VENV)/bench-adtlib; echo "ADTLib could not be installed and is left out"; }
	$(BIN)/python -m bench.eval_midi "$(DATA)" $(ARGS)

bench-midi: $(VENV)/bench-midi/.ready   ## speed and memory of the transcription, beside basic-pitch
	$(BIN)/python -m bench.midi

eval-drums: $(VENV)/.ready      ## F1 of the drums on real songs, class by class (DATA=folder)
	$(BIN)/python -m bench.eval_drums "$(DATA)"

gallery: $(VENV)/.ready	## a contact sheet of the video's themes and shapes: docs/images/gallery.jpg
	$(BIN)/python demo/gallery.py

$(VENV)/train/.ready: training/drums/requirements.txt $(VENV)/.ready
	$(BIN)/python -m venv $(VENV)/train
	$(VENV)/train/bin/python -m pip install --quiet -r $<
	@touch $@

train-drums: $(VENV)/train/.ready       ## make the material and train the drum network: hours (WORK=folder)
	for step in corpus train export validate; do \
	  PYTHONPATH=src:. $(VENV)/train/bin/python -m training.drums.$$step "$(or $(WORK),/var/tmp/antiphon-drums)" || exit 1; done

$(VENV)/train-separation/.ready: training/separation/requirements.txt $(VENV)/.ready
	$(BIN)/python -m venv $(VENV)/train-separation
	$(VENV)/train-separation/bin/python -m pip install --quiet -r $<
	@touch $@

# PIECES holds train/<piece> and valid/<piece> as training.material writes them. Begun again, it goes on where it stopped.
train-separation: $(VENV)/train-separation/.ready       ## train the separation network, for hours (WORK=folder PIECES=folder ARGS="--minutes 600")
	PYTHONPATH=src:.:demo $(VENV)/train-separation/bin/python -m training.separation.run \
	  "$(or $(WORK),/var/tmp/antiphon-separation)" --pieces "$(or $(PIECES),/var/tmp/antiphon-material)" $(ARGS)

# The training gives way to everything else. Its large arrays stay in the process from one step to the next: given back
# and asked for anew they cost a quarter of the time.
MATERIAL ?= /var/tmp/antiphon-material
KEEPING  := GLIBC_TUNABLES=glibc.malloc.hugetlb=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000

train-transcription: WORK := /var/tmp/antiphon-transcription
train-transcription: $(VENV)/train/.ready	## train the note network on composed pieces, from its checkpoint on: hours (MATERIAL= WORK=folder)
	@mkdir -p "$(WORK)"
	@test -e "$(WORK)/notes.pt" || cp training/transcription/checkpoints/notes.pt "$(WORK)"
	PYTHONPATH=src:. OMP_NUM_THREADS=1 $(KEEPING) nice -n 19 chrt -i 0 $(VENV)/train/bin/python \
	  -m training.transcription.train "$(MATERIAL)" "$(WORK)" $(ARGS) 2>&1 | tee -a "$(WORK)/train.log"

song: $(VENV)/.ready    ## compose and render the demo's song again
	$(BIN)/python demo/compose.py

lock:           ## resolve the requirements again, with hashes
	python3 -m venv .lock-venv && .lock-venv/bin/pip install --quiet pip-tools
	cd requirements && CUSTOM_COMPILE_COMMAND="make lock" ../.lock-venv/bin/pip-compile $(LOCK) --output-file build.txt build.in
	CUSTOM_COMPILE_COMMAND="make lock" .lock-venv/bin/pip-compile $(LOCK) --output-file requirements/base.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" .lock-venv/bin/pip-compile $(LOCK) --extra server --extra dev \
	  --output-file requirements/dev.txt pyproject.toml
	cd requirements && CUSTOM_COMPILE_COMMAND="make lock" ../.lock-venv/bin/pip-compile $(LOCK) --output-file bench.txt bench.in
	cd requirements && CUSTOM_COMPILE_COMMAND="make lock" ../.lock-venv/bin/pip-compile $(LOCK) --output-file audit.txt audit.in
	cd requirements && CUSTOM_COMPILE_COMMAND="make lock" ../.lock-venv/bin/pip-compile $(LOCK) --output-file bench-midi.txt bench-midi.in
	cd requirements && CUSTOM_COMPILE_COMMAND="make lock" ../.lock-venv/bin/pip-compile $(LOCK) --output-file bench-video.txt bench-video.in
	cd requirements && CUSTOM_COMPILE_COMMAND="make lock" ../.lock-venv/bin/pip-compile $(LOCK) --output-file suno-easy.txt suno-easy.in
	cd requirements && CUSTOM_COMPILE_COMMAND="make lock" ../.lock-venv/bin/pip-compile $(LOCK) --output-file fuzz.txt fuzz.in
	rm -rf .lock-venv

clean:          ## remove what make made
	rm -rf $(VENV) .cache demo-output .mypy_cache .ruff_cache .pytest_cache
