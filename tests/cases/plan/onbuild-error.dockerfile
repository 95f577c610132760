# What goes wrong in a base image's trigger is shown at the FROM that fires it.
#: image parent {"architecture":"amd64","os":"linux","config":{"OnBuild":["EXPOSE ${port:?missing}"]}}
FROM alpine
FROM parent
