# rule: env.set, label.set, config.history
#: image base {"architecture":"amd64","os":"linux","config":{"Env":["A=1","PATH=/p","B=2"],"Labels":{"l":"1","m":"2"}}}
FROM base
ENV B=3 C=4
ENV A=
LABEL l=5 n="6 7"
MAINTAINER me
