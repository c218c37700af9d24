# Checks the finished image of leviathan; rendered by Omni from omni.yaml (engines.leviathan.build). build.sh builds
# this after the image and before the tag, with IMAGE set to what was built. Nothing of it is kept.

# Omni's own image reads the finished binaries: no NVIDIA tool and no card is needed for it.
ARG OMNI_IMAGE=192.168.3.10:5000/omni/node:1.2.3

# The finished image; build.sh always names it.
ARG IMAGE=scratch
FROM ${IMAGE} AS built

# Fails when a library lacks the code of a wanted card, or when there is none: without it the image would fail at
# its first kernel, with "no kernel image is available for execution on the device". Root, because folders of the
# image are root's.
FROM ${OMNI_IMAGE}
USER 0
RUN --mount=type=bind,from=built,target=/built ["./omni", "engines", "inspect", "/built", "--only", "**/libtorch_cuda.so", "--require", "9.0", "--require", "10.0"]
RUN --mount=type=bind,from=built,target=/built ["./omni", "engines", "inspect", "/built", "--only", "**/sgl_kernel/sm90/*.so", "--require", "9.0"]
RUN --mount=type=bind,from=built,target=/built ["./omni", "engines", "inspect", "/built", "--only", "**/sgl_kernel/sm100/*.so", "--require", "10.0"]
