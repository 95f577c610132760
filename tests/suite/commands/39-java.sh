# a class is compiled and run
#: slow
#: prints from Java
#: leaves /src/java/Hello.class
mkdir -p /src/java && cd /src/java
echo 'class Hello { public static void main(String[] a) { System.out.println("from Java"); } }' > Hello.java
javac Hello.java
java -Xshare:auto Hello
