# rule: json.text
FROM alpine
CMD ['a']
CMD ["a",]
CMD ["\w"]
CMD ["a"] b
CMD {"a": "b"}
RUN [ -e x ] || true
COPY ["a" /b
