# The length of files and functions, the header of every file and the package comment of every directory.
# Runs over all Go files of the module; called by hack/budgets.sh. Plain awk: mawk, gawk and BusyBox all do.
#
# A function is what stands between a line that begins with "func " and the next line that begins with "}": gofmt makes
# that exact, except inside raw strings, where a line could begin so by accident.

function fail(text) { print "error: " text; failures++ }
function warn(text) { print "warning: " text; warnings++ }

# Called when a file has been read to its end.
function finish() {
  if (file == "" || generated) return
  if (headless) fail(file ": the first two lines are not those of hack/boilerplate.go.txt")
  if (lines > FILE_HARD) fail(file ": " lines " lines, " FILE_HARD " are the limit: split it by concern")
  else if (lines > FILE_SOFT) warn(file ": " lines " lines, more than " FILE_SOFT " need a reason")
}

FNR == 1 {
  finish()
  file = FILENAME; sub(/^\.\//, "", file)
  directory = file
  if (!sub(/\/[^\/]*$/, "", directory)) directory = "."
  test = file ~ /_test\.go$/
  generated = 0; start = 0; packaged = 0; comment = 0
  files++
}

{ lines = FNR }

# Generated files keep their generator's form.
FNR <= 20 && /^\/\/ Code generated .* DO NOT EDIT\.$/ { generated = 1 }

FNR == 1 { headless = !/^\/\/ Copyright The samsa Authors\.$/ }
FNR == 2 && !/^\/\/ SPDX-License-Identifier: Apache-2\.0$/ { headless = 1 }

# The package clause belongs to the comment that ends in the line right above it.
# A directory that holds only generated files is described by what generates it.
!packaged && !generated && /^package / {
  packaged = 1
  # A directory that holds only tests is described by one of them.
  if (test) tests[directory] = 1; else sources[directory] = 1
  if (comment) { if (test) testDoc[directory] = 1; else sourceDoc[directory] = 1 }
}
!packaged {
  comment = (/^\/\// && !/^\/\/(go:| SPDX)/) || /\*\/[ \t]*$/
}

/^func / {
  # One that ends where it begins has no closing line.
  start = /}$/ ? 0 : FNR; name = $0
  sub(/^func +(\([^)]*\) *)?/, "", name); sub(/[^A-Za-z0-9_].*/, "", name)
  functions++
}
/^}/ && start {
  length_ = FNR - start + 1
  if (!generated) {
    # A test may be one long table; what it is about is still worth a look.
    if (length_ > FUNC_HARD && !test) fail(file ":" start ": " name " has " length_ " lines, " FUNC_HARD " are the limit")
    else if (length_ > FUNC_SOFT) warn(file ":" start ": " name " has " length_ " lines, more than " FUNC_SOFT " need a reason")
  }
  start = 0
}

END {
  finish()
  for (d in sources) if (!(d in sourceDoc)) fail(d ": no file has a package comment (above the package clause, no line between)")
  for (d in tests) if (!(d in sources) && !(d in testDoc)) fail(d ": no file has a package comment (above the package clause, no line between)")
  if (files == 0) fail("no Go file was given")
  printf "%d files, %d functions: %d over a limit or without header or package comment, %d to look at\n", files, functions, failures, warnings
  exit failures > 0
}
