# syntax=docker/dockerfile:1
# The image of samsa: one static binary, nothing else. No shell, no libc, no package manager, no CA bundle: where samsa must
# trust public authorities, mount a bundle and point SSL_CERT_FILE at it (docs/decisions/0003-image.md says why).

# The builder runs on the machine's own platform and cross-compiles, so that no emulator is needed for other platforms.
FROM --platform=$BUILDPLATFORM golang:1.26 AS builder
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src

# Modules first: this layer is rebuilt only when the requirements change.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

COPY . .
# .git is not part of the context, so there is no revision to stamp: -buildvcs=false.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags='-s -w' -o /out/samsa ./cmd/samsa

FROM scratch
COPY --from=builder /out/samsa /samsa
# The number that distroless images call "nonroot". As a number it needs no /etc/passwd and satisfies runAsNonRoot.
USER 65532:65532
ENTRYPOINT ["/samsa"]
