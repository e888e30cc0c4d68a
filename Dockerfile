# The sandbox as a container: one static program, no shell, nobody's rights. docs/containers.md says how it is used.
#
# The image that it is built in is pinned by its version; name its digest to pin the bytes:
#   docker build --build-arg GO_IMAGE=golang:1.26.8-bookworm@sha256:… .
ARG GO_IMAGE=golang:1.26.8-bookworm
FROM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOTOOLCHAIN=local go build -trimpath -ldflags='-s -w' -o /out/qredo ./cmd/qredo && mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/qredo /qredo
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
# What the commands within the container call: qredo sandbox health, approve, deposit and the others.
ENV HOME=/data QREDO_BASE_URL=http://127.0.0.1:8765/api/v1/p
EXPOSE 8765
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=6s --start-period=30s --retries=3 CMD ["/qredo", "sandbox", "health"]
ENTRYPOINT ["/qredo"]
CMD ["sandbox", "serve", "--listen", "0.0.0.0:8765", "--data", "/data"]
