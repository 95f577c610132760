# Names of stages and the case of keywords. Global ARGs may be in any case.
arg BASE=alpine
FROM $BASE AS Build
FROM $BASE as build
FROM $BASE AS scratch
FROM $BASE AS fine
run true
Run true
