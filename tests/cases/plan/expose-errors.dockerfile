# rule: expose.port, expose.protocol, expose.host
FROM alpine
EXPOSE 65536
EXPOSE http
EXPOSE 80/tpc
EXPOSE 80/icmp
EXPOSE 90-80
EXPOSE 1-3:1-2
EXPOSE localhost:80:80
EXPOSE /tcp
