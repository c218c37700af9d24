# Checks the finished image of comfyui; rendered by Omni from omni.yaml (engines.comfyui). build.sh builds this
# after the image and before the tag, with IMAGE set to what was built. Nothing of it is kept.

# Omni's own image reads the finished binaries: no NVIDIA tool and no card is needed for it.
ARG OMNI_IMAGE=omni/node:1.2.3

# The finished image; build.sh always names it.
ARG IMAGE=scratch
FROM ${IMAGE} AS built

# Fails when a library lacks the code of a wanted card, or when there is none: without it the image would fail at
# its first kernel, with "no kernel image is available for execution on the device". Root, because folders of the
# image are root's.
FROM ${OMNI_IMAGE}
USER 0
RUN --mount=type=bind,from=built,target=/built ["./omni", "engines", "inspect", "/built", "--only", "**/libtorch_cuda.so", "--require", "12.0"]
