# rule: expand.malformed, lines.place
FROM alpine
ENV no_name=${} open=${a:-b
ENV unknown=${a^^} other=${a,,} slice=${a:1:2} assign=${a=b} brace=${{a}}
ENV quote=${a:-'}
ENV nested=${a:-${b:-${}}} double="d
