# rule: cmd.set, entrypoint.set
#: image base {"architecture":"amd64","os":"linux","config":{"Cmd":["of the base"],"Entrypoint":["too"]}}
FROM base
CMD shell "form"
CMD ["exec", "form"]
ENTRYPOINT keeps it
