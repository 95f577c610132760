#: plan --resolve --build-context base=oci-layout://@base
#: plan --build-context base=oci-layout://@base
FROM base
RUN make
