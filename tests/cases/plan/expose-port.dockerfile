# rule: expose.port, expose.protocol, expose.host
FROM alpine
EXPOSE 80 81/UDP 82-84/sctp 0 65535
EXPOSE 8080:90 127.0.0.1:1:91 [::1]:92:93/udp 100-101:200-201
