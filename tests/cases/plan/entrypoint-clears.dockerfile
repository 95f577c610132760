# rule: entrypoint.set
#: image base {"architecture":"amd64","os":"linux","config":{"Cmd":["of the base"]}}
FROM base
ENTRYPOINT ["/e"]
