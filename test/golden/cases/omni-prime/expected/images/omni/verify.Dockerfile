# Checks the finished image of omni; rendered by Omni from omni.yaml (gateway). build.sh builds this after the image
# and before the tag, with IMAGE set to what was built. Nothing of it is kept.

# Its program has to start.
ARG IMAGE=scratch
FROM ${IMAGE}
RUN ["./omni", "--version"]
